-- What of a source the store holds, of the ids in a stretch of all ids, in their order. Runs as the audit.
-- $1 source, $2 first id, $3 last id
select o.id
  from heirloom.origin as o
  join heirloom.memory as m on m.namespace = o.namespace and m.id = o.id
 where o.source = $1
   and o.id between $2 and $3
 order by o.id
