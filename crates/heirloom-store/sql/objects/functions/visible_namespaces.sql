-- What the caller's policies show: the namespaces of the transaction (heirloom.namespaces, a list with commas), or,
-- where it names none, the one project of the SQL door (pgmnemo.tenant_id). A role that an administrator bound to
-- namespaces sees those whatever it sets. Nothing set shows nothing.
--
-- Bound to the login, not to the current role: SET ROLE does not loosen it.

create or replace function heirloom.visible_namespaces() returns text[]
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
declare
    bound text[];
    listed text := current_setting('heirloom.namespaces', true);
begin
    select b.namespaces into bound from heirloom.bound_role b where b.role_name = session_user;
    if bound is not null then
        return bound;
    end if;
    if listed <> '' then
        return string_to_array(listed, ',');
    end if;
    return array['project:' || nullif(current_setting('pgmnemo.tenant_id', true), '')];
end
$$;
