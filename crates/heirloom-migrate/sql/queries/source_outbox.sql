-- A table at the source and what stands beside it to note its changes: what may be made there, and what is there already.
-- $1 the table as it is written in a plan, $2 name of the outbox, which its function and its triggers carry too
select quote_ident(n.nspname) as schema,
       quote_ident(n.nspname) || '.' || quote_ident($2::text) as outbox,
       c.relkind in ('r', 'p') and not c.relispartition as is_table,
       pg_is_in_recovery() as is_standby,
       has_schema_privilege(n.oid, 'create') as may_create,
       pg_has_role(c.relowner, 'usage') as is_owner,
       o.oid is not null as has_outbox,
       coalesce(has_table_privilege(o.oid, 'select') and has_table_privilege(o.oid, 'delete'), true) as may_read,
       (
           select count(*)
             from pg_catalog.pg_trigger as g
             join pg_catalog.pg_proc as p on p.oid = g.tgfoid
            where g.tgrelid = c.oid
              and g.tgname in ($2 || '_i', $2 || '_u', $2 || '_d', $2 || '_t')
              and g.tgenabled in ('O', 'A')
              and p.proname = $2
       ) = 4 as has_triggers,
       exists (
           select from pg_catalog.pg_trigger as g where g.tgrelid = c.oid and g.tgname like $2 || '\__'
       ) as has_any_trigger,
       exists (
           select from pg_catalog.pg_proc as p where p.pronamespace = n.oid and p.proname = $2
       ) as has_function
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  left join pg_catalog.pg_class as o on o.relnamespace = n.oid and o.relname = $2
 where c.oid = to_regclass($1)
