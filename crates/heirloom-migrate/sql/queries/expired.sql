-- How many memories of a source have expired by now: they are there, and recall leaves them out. Runs as the audit.
-- $1 source, $2 now
select count(*)
  from heirloom.origin as o
  join heirloom.memory as m on m.namespace = o.namespace and m.id = o.id
 where o.source = $1
   and m.expires_at <= $2::timestamptz
