-- The statements that make a table again, in order: what it is made of before its rows come (phase below 50), and what is
-- put on it after (50 and above). Names in the table's own schema are not qualified, so that the statements make it in
-- whatever schema is first in the path. Owner and grants are phase 90. $1 oid; the search path is the table's schema.
with t as (
    select c.oid, quote_ident(c.relname) as name, c.relpersistence, c.reloptions, c.relowner, c.relacl,
           c.relrowsecurity, c.relforcerowsecurity, c.relreplident
      from pg_catalog.pg_class as c
     where c.oid = $1
),
owned as (
    select s.seqrelid, quote_ident(q.relname) as name, a.attnum, quote_ident(a.attname) as attname, d.deptype, q.relname,
           format(
               'start with %s increment by %s minvalue %s maxvalue %s cache %s %scycle',
               s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, case when s.seqcycle then '' else 'no ' end
           ) as options,
           format_type(s.seqtypid, null) as type
      from t
      join pg_catalog.pg_depend as d
        on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.refobjsubid > 0
       and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
      join pg_catalog.pg_sequence as s on s.seqrelid = d.objid
      join pg_catalog.pg_class as q on q.oid = s.seqrelid
      join pg_catalog.pg_attribute as a on a.attrelid = t.oid and a.attnum = d.refobjsubid
),
attribute as (
    select a.attnum, quote_ident(a.attname) as name, a.attstorage, ty.typstorage, a.attcompression, a.attstattarget,
           a.attoptions, a.attacl,
           quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
           || coalesce(
               (select ' collate ' || quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
                  from pg_catalog.pg_collation as co
                  join pg_catalog.pg_namespace as cn on cn.oid = co.collnamespace
                 where co.oid = a.attcollation and a.attcollation <> ty.typcollation),
               ''
           )
           || case
               when a.attidentity <> '' then
                   ' generated ' || case a.attidentity when 'a' then 'always' else 'by default' end || ' as identity ('
                   || (select 'sequence name ' || o.name || ' ' || o.options from owned as o where o.attnum = a.attnum and o.deptype = 'i')
                   || ')'
               when a.attgenerated = 's' then ' generated always as (' || pg_get_expr(e.adbin, e.adrelid) || ') stored'
               when a.attgenerated <> '' then ' generated always as (' || pg_get_expr(e.adbin, e.adrelid) || ') virtual'
               when e.adbin is not null then ' default ' || pg_get_expr(e.adbin, e.adrelid)
               else ''
           end
           || case when a.attnotnull then ' not null' else '' end as definition
      from t
      join pg_catalog.pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      join pg_catalog.pg_type as ty on ty.oid = a.atttypid
      left join pg_catalog.pg_attrdef as e on e.adrelid = t.oid and e.adnum = a.attnum
),
statement (phase, at, sql) as (
    select 10, o.attnum::bigint, 'create sequence ' || o.name || ' as ' || o.type || ' ' || o.options
      from owned as o where o.deptype = 'a'
    union all
    select 20, 0,
           'create ' || case t.relpersistence when 'u' then 'unlogged ' else '' end || 'table ' || t.name || ' ('
           || coalesce((select string_agg(a.definition, ', ' order by a.attnum) from attribute as a), '') || ')'
           || coalesce(' with (' || array_to_string(t.reloptions, ', ') || ')', '')
      from t
    union all
    select 30, a.attnum,
           'alter table ' || t.name || ' alter column ' || a.name || ' set storage '
           || case a.attstorage when 'p' then 'plain' when 'm' then 'main' when 'e' then 'external' else 'extended' end
      from t, attribute as a where a.attstorage <> a.typstorage
    union all
    select 31, a.attnum,
           'alter table ' || t.name || ' alter column ' || a.name || ' set compression '
           || case a.attcompression when 'l' then 'lz4' else 'pglz' end
      from t, attribute as a where a.attcompression <> ''
    union all
    select 32, a.attnum, 'alter table ' || t.name || ' alter column ' || a.name || ' set statistics ' || a.attstattarget
      from t, attribute as a where a.attstattarget >= 0
    union all
    select 33, a.attnum,
           'alter table ' || t.name || ' alter column ' || a.name || ' set (' || array_to_string(a.attoptions, ', ') || ')'
      from t, attribute as a where a.attoptions is not null
    union all
    select 34, o.attnum, 'alter sequence ' || o.name || ' owned by ' || t.name || '.' || o.attname
      from t, owned as o where o.deptype = 'a'
    union all
    select 50, o.attnum,
           format('select setval(%L, %s)', o.name, pg_sequence_last_value(o.seqrelid))
      from owned as o where pg_sequence_last_value(o.seqrelid) is not null
    union all
    select 60, row_number() over (order by c.contype = 'f', c.contype <> 'p', c.conname),
           'alter table ' || t.name || ' add constraint ' || quote_ident(c.conname) || ' ' || pg_get_constraintdef(c.oid, true)
      from t join pg_catalog.pg_constraint as c on c.conrelid = t.oid
     where c.contype in ('p', 'u', 'c', 'x', 'f')
    union all
    select 61, row_number() over (order by i.indexrelid::regclass::text), pg_get_indexdef(i.indexrelid, 0, true)
      from t
      join pg_catalog.pg_index as i on i.indrelid = t.oid and i.indisvalid
     where not exists (select from pg_catalog.pg_constraint as c where c.conindid = i.indexrelid and c.conrelid = t.oid)
    union all
    -- PostgreSQL qualifies their own name, whatever the path.
    select 62, row_number() over (order by x.stxname),
           'create statistics ' || quote_ident(x.stxname)
           || substr(
               pg_get_statisticsobjdef(x.oid),
               length('CREATE STATISTICS ' || quote_ident(n.nspname) || '.' || quote_ident(x.stxname)) + 1
           )
      from t
      join pg_catalog.pg_statistic_ext as x on x.stxrelid = t.oid
      join pg_catalog.pg_namespace as n on n.oid = x.stxnamespace
    union all
    select 62, 1000 + row_number() over (order by x.stxname),
           'alter statistics ' || quote_ident(x.stxname) || ' set statistics ' || x.stxstattarget
      from t join pg_catalog.pg_statistic_ext as x on x.stxrelid = t.oid
     where x.stxstattarget >= 0
    union all
    select 63, 0,
           'alter table ' || t.name || ' replica identity '
           || case t.relreplident
               when 'f' then 'full'
               when 'n' then 'nothing'
               else 'using index ' || (select quote_ident(ic.relname)
                                         from pg_catalog.pg_index as i
                                         join pg_catalog.pg_class as ic on ic.oid = i.indexrelid
                                        where i.indrelid = t.oid and i.indisreplident)
           end
      from t where t.relreplident <> 'd'
    union all
    select 64, 0, 'comment on table ' || t.name || ' is ' || quote_literal(obj_description(t.oid, 'pg_class'))
      from t where obj_description(t.oid, 'pg_class') is not null
    union all
    select 65, a.attnum,
           'comment on column ' || t.name || '.' || a.name || ' is ' || quote_literal(col_description(t.oid, a.attnum))
      from t, attribute as a where col_description(t.oid, a.attnum) is not null
    union all
    select 70, row_number() over (order by g.tgname), pg_get_triggerdef(g.oid, true)
      from t join pg_catalog.pg_trigger as g on g.tgrelid = t.oid and not g.tgisinternal
    union all
    select 71, row_number() over (order by g.tgname),
           'alter table ' || t.name
           || case g.tgenabled when 'D' then ' disable' when 'R' then ' enable replica' else ' enable always' end
           || ' trigger ' || quote_ident(g.tgname)
      from t join pg_catalog.pg_trigger as g on g.tgrelid = t.oid and not g.tgisinternal and g.tgenabled <> 'O'
    union all
    select 80, row_number() over (order by p.polname),
           'create policy ' || quote_ident(p.polname) || ' on ' || t.name
           || case when p.polpermissive then '' else ' as restrictive' end
           || ' for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end
           || ' to '
           || (select string_agg(case r when 0 then 'public' else quote_ident(pg_get_userbyid(r)) end, ', ' order by r)
                 from unnest(p.polroles) as r)
           || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
      from t join pg_catalog.pg_policy as p on p.polrelid = t.oid
    union all
    select 81, 0, 'alter table ' || t.name || ' enable row level security' from t where t.relrowsecurity
    union all
    select 82, 0, 'alter table ' || t.name || ' force row level security' from t where t.relforcerowsecurity
    union all
    select 90, row_number() over (order by x.grantee, x.privilege_type),
           'grant ' || x.privilege_type || ' on ' || t.name || ' to '
           || case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end
           || case when x.is_grantable then ' with grant option' else '' end
      from t, aclexplode(t.relacl) as x where x.grantee <> t.relowner
    union all
    select 91, row_number() over (order by a.attnum, x.grantee, x.privilege_type),
           'grant ' || x.privilege_type || ' (' || a.name || ') on ' || t.name || ' to '
           || case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end
           || case when x.is_grantable then ' with grant option' else '' end
      from t, attribute as a, aclexplode(a.attacl) as x
    union all
    select 92, 0, 'alter table ' || t.name || ' owner to ' || quote_ident(pg_get_userbyid(t.relowner)) from t
)
select s.phase, s.sql from statement as s order by s.phase, s.at, s.sql
