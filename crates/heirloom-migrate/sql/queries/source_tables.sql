-- Every relation of the user's own schemas that may be read, with its estimated rows. Views through which a store shows
-- its own memories under other names are no source.
select c.oid,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) as qualified,
       case when c.reltuples >= 0 then c.reltuples::bigint end as estimated_rows
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm', 'p', 'f')
  and not c.relispartition
  and n.nspname <> 'information_schema'
  and n.nspname !~ '^pg_'
  and not (
      c.relkind = 'v' and n.nspname in ('pgmnemo', 'memory_plugin')
      and pg_catalog.to_regclass('heirloom.memory') is not null
  )
  and has_schema_privilege(n.oid, 'usage')
  and has_table_privilege(c.oid, 'select')
order by n.nspname, c.relname
