-- Those of these roles that are gone.
-- $1 names
select n.role
  from unnest($1::text[]) as n (role)
 where not exists (select from pg_catalog.pg_roles as r where r.rolname = n.role)
 order by n.role
