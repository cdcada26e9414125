-- What is on a table that its archive cannot bring back, because the catalog does not say it in a statement, or because this
-- role may not make it again. $1 oid
with own as (
    select k.oid, k.conname from pg_catalog.pg_constraint as k where k.conrelid = $1
)
select w.what
  from (
      select 'its place in the publication ' || quote_ident(p.pubname) || ', which this role does not own' as what
        from pg_catalog.pg_publication_rel as r
        join pg_catalog.pg_publication as p on p.oid = r.prpubid
       where r.prrelid = $1 and not pg_has_role(p.pubowner, 'usage')
      union all
      select distinct 'the constraint ' || quote_ident(o.conname) || ' has triggers that are disabled or always fire'
        from own as o
        join pg_catalog.pg_trigger as g on g.tgconstraint = o.oid
       where g.tgisinternal and g.tgenabled <> 'O'
      union all
      select 'the index ' || quote_ident(ic.relname) || ', which is not valid'
        from pg_catalog.pg_index as i
        join pg_catalog.pg_class as ic on ic.oid = i.indexrelid
       where i.indrelid = $1 and not i.indisvalid
      union all
      select 'the statistics ' || x.stxnamespace::regnamespace::text || '.' || quote_ident(x.stxname) || ', which lie in another schema'
        from pg_catalog.pg_statistic_ext as x
        join pg_catalog.pg_class as c on c.oid = x.stxrelid
       where x.stxrelid = $1 and x.stxnamespace <> c.relnamespace
      union all
      select 'a security label by ' || l.provider
        from pg_catalog.pg_seclabel as l
       where l.classoid = 'pg_catalog.pg_class'::regclass and l.objoid = $1
      union all
      select 'that it belongs to the extension ' || quote_ident(e.extname)
        from pg_catalog.pg_depend as d
        join pg_catalog.pg_extension as e on e.oid = d.refobjid
       where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = $1
         and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
  ) as w
 order by w.what
