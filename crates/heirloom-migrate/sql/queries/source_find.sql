-- The first relation that one of the spellings names. $1, $2: schema (null = search path) and name, in order of preference.
select c.oid,
       n.nspname::text as schema,
       c.relname::text as name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) as qualified,
       has_schema_privilege(n.oid, 'usage') as may_enter,
       has_table_privilege(c.oid, 'select') as may_read,
       case when c.reltuples >= 0 then c.reltuples::bigint end as estimated_rows
from unnest($1::text[], $2::text[]) with ordinality as wanted(schema, name, preference)
join pg_catalog.pg_class c on c.relname = wanted.name
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm', 'p', 'f')
  and (n.nspname = wanted.schema or (wanted.schema is null and pg_table_is_visible(c.oid)))
order by wanted.preference
limit 1
