-- Whether a relation, with everything below it, is made of heap tables. $1 oid
select c.relkind in ('r', 'p')
   and not exists (
       select from pg_catalog.pg_partition_tree($1::oid::regclass) as t
         join pg_catalog.pg_class as p on p.oid = t.relid
        where t.isleaf and (p.relkind <> 'r' or p.relam <> (select a.oid from pg_catalog.pg_am as a where a.amname = 'heap')))
   and (c.relkind = 'p' or c.relam = (select a.oid from pg_catalog.pg_am as a where a.amname = 'heap'))
  from pg_catalog.pg_class as c
 where c.oid = $1::oid
