-- What of a source the store holds, of these ids. Runs as the audit.
-- $1 source, $2 ids
select o.id, o.namespace
  from heirloom.origin as o
  join heirloom.memory as m on m.namespace = o.namespace and m.id = o.id
 where o.source = $1
   and o.id = any ($2::uuid[])
