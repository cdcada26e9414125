-- What takes back the rights on a table, and on the sequences that are its own, that nobody granted on them: those that
-- `alter default privileges` gives to all that is made new. $1 oid
select format('revoke all on %s %s from %s', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass,
              case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end)
  from pg_catalog.pg_class as c
 cross join lateral (
     select distinct a.grantee from aclexplode(c.relacl) as a where a.grantee <> c.relowner
 ) as x
 where c.oid = $1
    or c.relkind = 'S'
   and exists (
       select
         from pg_catalog.pg_depend as d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = $1 and d.deptype in ('a', 'i')
   )
 order by 1
