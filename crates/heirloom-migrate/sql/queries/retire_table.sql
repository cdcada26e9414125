-- A table that may be retired: what it is, and everything that keeps it from being archived, renamed or dropped.
-- $1 the table as it is written in a plan, $2 the name by which others knew it, or null where that is its name now
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
       -- What keeps it from being dropped: all that depends on the table, on its row type or on a sequence of its own, and is
       -- not dropped with it.
       array(
           with own as (
               select 'pg_class'::regclass as class, c.oid as id
               union all
               select 'pg_type'::regclass, y.oid from pg_catalog.pg_type as y where y.oid = c.reltype or y.typelem = c.reltype and y.typcategory = 'A'
               union all
               select 'pg_class'::regclass, d.objid
                 from pg_catalog.pg_depend as d
                 join pg_catalog.pg_class as q on q.oid = d.objid and q.relkind in ('S', 'i')
                where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
                  and d.deptype in ('a', 'i')
           )
           select distinct d.name
             from (
                 select case
                            when r.oid is not null then 'the view ' || r.ev_class::regclass::text
                            when v.oid is not null then 'the view ' || v.oid::regclass::text
                            else 'the ' || pg_describe_object(p.classid, p.objid, p.objsubid)
                        end as name
                   from own as o
                   join pg_catalog.pg_depend as p on p.refclassid = o.class and p.refobjid = o.id and p.deptype = 'n'
                   left join pg_catalog.pg_rewrite as r on p.classid = 'pg_rewrite'::regclass and r.oid = p.objid
                  left join pg_catalog.pg_class as v
                    on p.classid = 'pg_class'::regclass and v.oid = p.objid and v.relkind in ('v', 'm')
                  where r.ev_class is distinct from c.oid
                    and (p.classid, p.objid) not in (select o.class, o.id from own as o)
                    and not exists (select from pg_catalog.pg_constraint as k
                                     where p.classid = 'pg_constraint'::regclass and k.oid = p.objid
                                       and (k.conrelid = c.oid or k.confrelid = c.oid))
                    and not exists (select from pg_catalog.pg_attrdef as e
                                     where p.classid = 'pg_attrdef'::regclass and e.oid = p.objid and e.adrelid = c.oid)
                    and not exists (select from pg_catalog.pg_trigger as g
                                     where p.classid = 'pg_trigger'::regclass and g.oid = p.objid and g.tgrelid = c.oid)
                    and not exists (select from pg_catalog.pg_policy as y
                                     where p.classid = 'pg_policy'::regclass and y.oid = p.objid and y.polrelid = c.oid)
                    and not exists (select from pg_catalog.pg_statistic_ext as x
                                     where p.classid = 'pg_statistic_ext'::regclass and x.oid = p.objid and x.stxrelid = c.oid)
                    and not exists (select from pg_catalog.pg_publication_rel as b
                                     where p.classid = 'pg_publication_rel'::regclass and b.oid = p.objid and b.prrelid = c.oid)
                 union all
                 select 'the foreign key ' || quote_ident(k.conname) || ' of ' || k.conrelid::regclass::text
                   from pg_catalog.pg_constraint as k
                  where k.confrelid = c.oid and k.conrelid <> c.oid and k.contype = 'f'
             ) as d
            order by d.name
       ) as dependents,
       -- What names it in a text that PostgreSQL does not look into.
       array(
           select 'function ' || f.oid::regprocedure::text
             from pg_catalog.pg_proc as f
             join pg_catalog.pg_language as l on l.oid = f.prolang and (l.lanispl or l.lanname = 'sql')
            where f.prosqlbody is null
              and f.prosrc ~* ('\y' || regexp_replace(coalesce($2, c.relname::text), '([^[:alnum:]_])', '\\\1', 'g') || '\y')
              and f.pronamespace::regnamespace::text !~ '^(pg_|information_schema|heirloom)'
              and not exists (select from pg_catalog.pg_depend as d
                               where d.classid = 'pg_proc'::regclass and d.objid = f.oid and d.deptype = 'e')
            order by 1
       ) as mentions
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
 where c.oid = to_regclass($1)
