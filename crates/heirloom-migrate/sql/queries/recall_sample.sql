-- Rows handed down to a namespace in the order of a digest nobody chose, the beginning of their text, and why recall
-- leaves them out if it does: the conditions of heirloom.recall, one by one, and texts that no word can ask for.
-- $1 source, $2 namespace, $3 most, $4 only this id
select m.id, q.text,
       case
           when not m.is_active then 'inactive'
           when m.state in ('deprecated', 'superseded', 'archived', 'rejected') then 'state'
           when m.expires_at <= statement_timestamp() then 'expired'
           when m.valid_to <= statement_timestamp() then 'no-longer-valid'
           when coalesce(m.valid_from, m.created_at, '-infinity') > statement_timestamp() then 'not-yet-valid'
           when m.kind = 'lesson' and m.verified_at is null then 'ghost'
           when cardinality(t.lexemes) = 0 then 'no-words'
       end as left_out
  from heirloom.origin as o
  join heirloom.memory as m on m.namespace = o.namespace and m.id = o.id
 cross join lateral (
       -- As words: in a question a quote would require and a minus refuse.
       select regexp_replace(translate(left(m.content, 4096), '"', ' '), '(^|\s)-+', '\1 ', 'g') as text
 ) as q
 cross join lateral heirloom.recall_terms(q.text) as t
 where o.source = $1
   and o.namespace = $2
   and ($4::uuid is null or o.id = $4)
 order by o.written_digest, o.id
 limit $3
