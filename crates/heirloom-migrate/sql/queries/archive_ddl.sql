-- The statements that make a table again, in order: what it is made of before its rows come (phase below 50), and what is
-- put on it after (50 and above). Names in the table's own schema are not qualified, so that the statements make it in
-- whatever schema is first in the path. Owner, grants and publications are phase 90. Where a sequence stands is not said
-- here: its own row says so. $1 oid; the search path is the table's schema.
with t as (
    select c.oid, quote_ident(c.relname) as name, c.relpersistence, c.relowner, c.relacl,
           c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
           c.reloptions || (select array_agg('toast.' || o.option order by o.nth)
                              from pg_catalog.pg_class as tc, unnest(tc.reloptions) with ordinality as o (option, nth)
                             where tc.oid = c.reltoastrelid) as reloptions,
           (select a.amname from pg_catalog.pg_am as a where a.oid = c.relam and a.amname <> 'heap') as method,
           (select s.spcname from pg_catalog.pg_tablespace as s where s.oid = c.reltablespace) as tablespace
      from pg_catalog.pg_class as c
     where c.oid = $1
),
owned as (
    select s.seqrelid, quote_ident(q.relname) as name, a.attnum, quote_ident(a.attname) as attname, d.deptype,
           q.relacl, q.relowner,
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
           || case
               when not a.attnotnull then ''
               -- What some rows do not meet comes after them, with the other constraints.
               when not k.convalidated then ''
               else coalesce(' constraint ' || quote_ident(k.conname), '') || ' not null'
                    || case when k.connoinherit then ' no inherit' else '' end
           end as definition
      from t
      join pg_catalog.pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      join pg_catalog.pg_type as ty on ty.oid = a.atttypid
      left join pg_catalog.pg_attrdef as e on e.adrelid = t.oid and e.adnum = a.attnum
      -- Before PostgreSQL 18 it had no name.
      left join pg_catalog.pg_constraint as k on k.conrelid = t.oid and k.contype = 'n' and k.conkey = array[a.attnum]
),
indexed as (
    select i.indexrelid, quote_ident(ic.relname) as name, i.indisclustered, ic.reloptions,
           exists (select from pg_catalog.pg_constraint as c where c.conindid = i.indexrelid and c.conrelid = t.oid) as constrains,
           (select s.spcname from pg_catalog.pg_tablespace as s where s.oid = ic.reltablespace) as tablespace
      from t
      join pg_catalog.pg_index as i on i.indrelid = t.oid and i.indisvalid
      join pg_catalog.pg_class as ic on ic.oid = i.indexrelid
),
-- Who may do what on the table and on its own sequences. What the owner may is said where that is less than all.
granted as (
    select r.nth, r.what, r.name, r.owner, x.grantee, x.privilege_type, x.is_grantable,
           x.grantee = r.owner as to_owner, r.less
      from (
          select 0 as nth, '' as what, t.name, t.relowner as owner, t.relacl as acl, l.less
            from t, lateral (select coalesce(bool_or(not t.relacl @> d.item), false) as less
                               from (select makeaclitem(t.relowner, t.relowner, e.privilege_type, false) as item
                                       from aclexplode(acldefault('r', t.relowner)) as e) as d) as l
          union all
          select o.attnum, 'sequence ', o.name, o.relowner, o.relacl, l.less
            from owned as o, lateral (select coalesce(bool_or(not o.relacl @> d.item), false) as less
                                        from (select makeaclitem(o.relowner, o.relowner, e.privilege_type, false) as item
                                                from aclexplode(acldefault('s', o.relowner)) as e) as d) as l
      ) as r
      left join lateral aclexplode(r.acl) as x on true
     where r.acl is not null
),
statement (phase, at, sql) as (
    select 10, o.attnum::bigint, 'create sequence ' || o.name || ' as ' || o.type || ' ' || o.options
      from owned as o where o.deptype = 'a'
    union all
    select 20, 0,
           'create ' || case t.relpersistence when 'u' then 'unlogged ' else '' end || 'table ' || t.name || ' ('
           || coalesce((select string_agg(a.definition, ', ' order by a.attnum) from attribute as a), '') || ')'
           || coalesce(' using ' || quote_ident(t.method), '')
           || coalesce(' with (' || array_to_string(t.reloptions, ', ') || ')', '')
           || coalesce(' tablespace ' || quote_ident(t.tablespace), '')
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
    select 60, row_number() over (order by c.contype = 'f', c.contype <> 'p', c.conname),
           'alter table ' || t.name || ' add constraint ' || quote_ident(c.conname) || ' ' || pg_get_constraintdef(c.oid, true)
      from t join pg_catalog.pg_constraint as c on c.conrelid = t.oid
     where c.contype in ('p', 'u', 'c', 'x', 'f') or c.contype = 'n' and not c.convalidated
    union all
    select 61, row_number() over (order by i.indexrelid::regclass::text), pg_get_indexdef(i.indexrelid, 0, true)
      from indexed as i
     where not i.constrains
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
    select 66, row_number() over (order by i.name),
           'alter index ' || i.name || ' set (' || array_to_string(i.reloptions, ', ') || ')'
      from indexed as i where i.constrains and i.reloptions is not null
    union all
    select 66, 1000 + row_number() over (order by i.name),
           'alter index ' || i.name || ' set tablespace ' || quote_ident(i.tablespace)
      from indexed as i where i.tablespace is not null
    union all
    select 66, 2000 + row_number() over (order by i.name, a.attnum),
           'alter index ' || i.name || ' alter column ' || a.attnum || ' set statistics ' || a.attstattarget
      from indexed as i join pg_catalog.pg_attribute as a on a.attrelid = i.indexrelid and a.attnum > 0
     where a.attstattarget >= 0
    union all
    select 67, 0, 'alter table ' || t.name || ' cluster on ' || i.name
      from t, indexed as i where i.indisclustered
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
    select 83, row_number() over (order by d.object), 'comment on ' || d.object || ' is ' || quote_literal(d.comment)
      from (
          select 'constraint ' || quote_ident(c.conname) || ' on ' || t.name, obj_description(c.oid, 'pg_constraint')
            from t join pg_catalog.pg_constraint as c on c.conrelid = t.oid
          union all
          select 'index ' || i.name, obj_description(i.indexrelid, 'pg_class') from indexed as i
          union all
          select 'sequence ' || o.name, obj_description(o.seqrelid, 'pg_class') from owned as o
          union all
          select 'statistics ' || quote_ident(x.stxname), obj_description(x.oid, 'pg_statistic_ext')
            from t join pg_catalog.pg_statistic_ext as x on x.stxrelid = t.oid
          union all
          select 'trigger ' || quote_ident(g.tgname) || ' on ' || t.name, obj_description(g.oid, 'pg_trigger')
            from t join pg_catalog.pg_trigger as g on g.tgrelid = t.oid and not g.tgisinternal
          union all
          select 'policy ' || quote_ident(p.polname) || ' on ' || t.name, obj_description(p.oid, 'pg_policy')
            from t join pg_catalog.pg_policy as p on p.polrelid = t.oid
      ) as d (object, comment)
     where d.comment is not null
    union all
    select 90, 0, 'alter table ' || t.name || ' owner to ' || quote_ident(pg_get_userbyid(t.relowner)) from t
    union all
    select distinct 91, g.nth::bigint,
           'revoke all on ' || g.what || g.name || ' from ' || quote_ident(pg_get_userbyid(g.owner))
      from granted as g where g.less
    union all
    select 92, row_number() over (order by g.nth, g.grantee, g.privilege_type),
           'grant ' || g.privilege_type || ' on ' || g.what || g.name || ' to '
           || case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end
           || case when g.is_grantable then ' with grant option' else '' end
      from granted as g where g.privilege_type is not null and (g.less or not g.to_owner)
    union all
    select 93, row_number() over (order by a.attnum, x.grantee, x.privilege_type),
           'grant ' || x.privilege_type || ' (' || a.name || ') on ' || t.name || ' to '
           || case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end
           || case when x.is_grantable then ' with grant option' else '' end
      from t, attribute as a, aclexplode(a.attacl) as x
    union all
    select 94, row_number() over (order by p.pubname),
           'alter publication ' || quote_ident(p.pubname) || ' add table ' || t.name
           || coalesce(
               (select ' (' || string_agg(a.name, ', ' order by a.attnum) || ')'
                  from attribute as a where a.attnum = any (r.prattrs)),
               ''
           )
           || coalesce(' where (' || pg_get_expr(r.prqual, r.prrelid) || ')', '')
      from t
      join pg_catalog.pg_publication_rel as r on r.prrelid = t.oid
      join pg_catalog.pg_publication as p on p.oid = r.prpubid
)
select s.phase, s.sql from statement as s order by s.phase, s.at, s.sql
