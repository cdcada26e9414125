-- Those of these namespaces that have not come to their end. What is in the others is there, and not recalled.

create or replace function heirloom.living_namespaces(namespaces text[]) returns text[]
language sql
stable
set search_path = pg_catalog
as $$
    select coalesce(array_agg(n.name), '{}')
    from unnest(namespaces) n(name)
    where not exists (
        select from heirloom.namespace x where x.name = n.name and x.expires_at <= statement_timestamp()
    )
$$;
