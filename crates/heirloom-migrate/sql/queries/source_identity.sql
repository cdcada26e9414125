-- Who reads, from what, and whether the role could write one of the relations. $1: oids.
select r.rolname::text as role,
       r.rolsuper as superuser,
       r.rolbypassrls as bypass_rls,
       coalesce((
           select bool_or(has_table_privilege(c.oid, 'insert') or has_table_privilege(c.oid, 'update')
                          or has_table_privilege(c.oid, 'delete'))
           from pg_catalog.pg_class c
           where c.oid = any ($1::oid[]) and c.relkind in ('r', 'v', 'm', 'p', 'f')
       ), false) as can_write,
       coalesce((
           select bool_or(row_security_active(c.oid))
           from pg_catalog.pg_class c
           where c.oid = any ($1::oid[]) and c.relkind in ('r', 'p')
       ), false) as filtered,
       current_setting('server_version') as version,
       d.oid as database,
       d.datname::text as database_name,
       has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may_see_system
from pg_catalog.pg_roles r, pg_catalog.pg_database d
where r.rolname = current_user and d.datname = current_database()
