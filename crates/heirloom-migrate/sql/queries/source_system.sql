-- Which database this is, and whether the role may see which cluster.
select d.oid as database,
       d.datname::text as database_name,
       has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may_see_system
from pg_catalog.pg_database d
where d.datname = current_database()
