-- The keys of these ids of a source, and the digest of the source row that each was handed down from. Runs as the audit.
-- $1 source, $2 ids
select o.id, o.source_key, o.source_digest
  from heirloom.origin as o
  join heirloom.memory as m on m.namespace = o.namespace and m.id = o.id
 where o.source = $1
   and o.id = any ($2)
 order by o.id
