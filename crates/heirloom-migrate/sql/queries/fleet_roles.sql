-- Who asks, and which roles could come by the rights of these holders at all: the holders, members of whatever role (of the
-- owner of the database, the database says so), and superusers. Rights are asked for these alone: a server looks up each role
-- and what it is a member of, and a cold session has none of that at hand. $1: oids of holders; 0 is everybody.
select r.rolname::text as role,
       r.rolsuper as superuser,
       r.rolbypassrls as bypass_rls,
       r.rolname = current_user as is_me,
       has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may_see_system
from pg_catalog.pg_roles r
where r.rolname = current_user
   or r.rolsuper
   or r.oid = any ($1::oid[])
   or 0::oid = any ($1::oid[])
   or r.oid in (select m.member from pg_catalog.pg_auth_members m)
   or r.oid = (select d.datdba from pg_catalog.pg_database d where d.datname = current_database())
