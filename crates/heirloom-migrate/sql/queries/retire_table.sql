-- A table that may be retired: what it is, and everything that keeps it from being archived, renamed or dropped.
-- $1 the table as it is written in a plan
select c.oid,
       n.nspname::text as schema,
       c.relname::text as name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) as qualified,
       pg_has_role(c.relowner, 'usage') as is_owner,
       has_schema_privilege(n.oid, 'create') as may_create,
       has_database_privilege(current_database(), 'create') as may_make_schema,
       array_remove(array[
           case when c.relkind <> 'r' then 'it is no ordinary table' end,
           case when c.relispartition then 'it is a partition' end,
           case when exists (select from pg_catalog.pg_inherits as i where c.oid in (i.inhrelid, i.inhparent)) then 'it inherits, or is inherited from' end,
           case when c.reloftype <> 0 then 'it is of a composite type' end,
           case when exists (select from pg_catalog.pg_rewrite as r where r.ev_class = c.oid) then 'it has rules' end,
           case when row_security_active(c.oid) then
               'its policies hide rows from this role: use a role with BYPASSRLS, or say `alter table ' || c.oid::regclass::text
               || ' no force row level security` as its owner'
           end
       ], null) as obstacles,
       array(
           select distinct d.name
             from (
                 select 'the view ' || r.ev_class::regclass::text as name
                   from pg_catalog.pg_depend as p
                   join pg_catalog.pg_rewrite as r on r.oid = p.objid
                  where p.classid = 'pg_rewrite'::regclass and p.refclassid = 'pg_class'::regclass and p.refobjid = c.oid
                 union all
                 select 'the foreign key ' || quote_ident(k.conname) || ' of ' || k.conrelid::regclass::text
                   from pg_catalog.pg_constraint as k
                  where k.confrelid = c.oid and k.conrelid <> c.oid and k.contype = 'f'
             ) as d
            order by d.name
       ) as dependents
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
 where c.oid = to_regclass($1)
