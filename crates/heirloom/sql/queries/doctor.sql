-- What `heirloom doctor` looks at, from the catalogs alone: versions, who we are, the serving role, row-level security.
-- Reads no table of memories.
select current_setting('server_version') as server_version,
       current_setting('server_version_num')::integer as server_number,
       (select extversion from pg_extension where extname = 'vector') as vector_installed,
       (select default_version from pg_available_extensions where name = 'vector') as vector_available,
       current_user::text as connected_as,
       (select rolsuper from pg_roles where rolname = current_user) as connected_super,
       (select rolsuper or rolbypassrls from pg_roles where rolname = 'heirloom_serve') as serve_bypasses,
       (select count(*)
          from pg_class c
          join pg_roles r on r.oid = c.relowner
         where r.rolname = 'heirloom_serve') as serve_owns,
       to_regclass('heirloom.memory') is not null as store_there,
       (select coalesce(array_agg(c.relname::text order by c.relname), '{}')
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace
          join pg_attribute a on a.attrelid = c.oid and a.attname = 'namespace' and not a.attisdropped
         where n.nspname = 'heirloom'
           and c.relkind in ('r', 'p')
           and not (c.relrowsecurity and c.relforcerowsecurity)) as unprotected
