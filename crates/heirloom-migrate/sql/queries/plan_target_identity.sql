-- Who would write here, on what server. No host name and no credential.
select
    current_user::text as role,
    r.rolsuper as superuser,
    r.rolbypassrls as bypass_rls,
    has_database_privilege(current_database(), 'create') as can_write,
    'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) as server,
    d.oid::text as database
from pg_catalog.pg_roles r, pg_catalog.pg_database d
where r.rolname = current_user and d.datname = current_database()
