-- Relations that one of the spellings may mean: of these schemas, and of the search path for a name that is written without
-- one. $1: names. $2: schemas. A cold session pays for each catalog and function a statement meets, and a fleet opens a
-- session a tenant: so there is one index scan a catalog, and which spelling comes first is told by who asks.
select c.oid,
       n.nspname::text as schema,
       c.relname::text as name,
       coalesce(pg_table_is_visible(c.oid), false) as is_visible,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) as qualified,
       has_schema_privilege(n.oid, 'usage') as may_enter,
       has_table_privilege(c.oid, 'select') as may_read,
       case when c.reltuples >= 0 then c.reltuples::bigint end as estimated_rows,
       c.relkind = 'r' and c.relam = 2 as is_plain_heap
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = any ($1::text[])
  and n.nspname = any ($2::text[] || current_schemas(true)::text[])
  and c.relkind in ('r', 'v', 'm', 'p', 'f')
