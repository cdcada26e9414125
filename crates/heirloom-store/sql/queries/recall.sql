-- One call of heirloom.recall with what a hit shows, and how many ghosts it left out; one row at least, whose id is
-- NULL when nothing was found.
-- $1 text, $2 vector, $3 namespaces, $4 k, $5 kinds, $6 include ghosts, $7 model of the vector, $8 with neighbours, $9 width of
-- the vector before it was padded
select g.ghosts_left_out, h.*
from (
    select case when $6 then 0 else heirloom.recall_ghosts($1, $2, $3, $5, $7) end as ghosts_left_out
) g
left join lateral (
    select r.id, r.namespace, m.lesson_id, m.kind, m.source, m.role, m.topic, m.content, m.importance, m.state, m.pin,
        m.verified_at, m.metadata, m.propagation, m.expires_at, m.created_at,
        r.score, r.lexical, r.semantic, r.context, r.boost, r.similarity
    from heirloom.recall($1, $2, $3, $4, $5, $6, $7, use_sessions => $8, query_dimension => $9) r
    join heirloom.memory m on m.namespace = r.namespace and m.id = r.id
) h on true
order by h.score desc, h.created_at desc nulls last, h.id
