-- Whether the caller asked for no namespace and no project: then members of heirloom_service, and only they, see all.

create or replace function heirloom.serves_all() returns boolean
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
begin
    return coalesce(current_setting('heirloom.namespaces', true), '') = ''
        and coalesce(current_setting('pgmnemo.tenant_id', true), '') = ''
        and not exists (select from heirloom.bound_role b where b.role_name = session_user);
end
$$;
