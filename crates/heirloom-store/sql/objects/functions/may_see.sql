-- What the policies of heirloom.memory say of one namespace, for a function that runs as somebody else and must ask
-- itself. The login is what a policy's role is judged by there: a member of the service role who names nothing sees all.

create or replace function heirloom.may_see(in_namespace text) returns boolean
language sql
stable
set search_path = pg_catalog
as $$
    select coalesce(in_namespace = any (heirloom.visible_namespaces()), false)
        or (pg_has_role(session_user, 'heirloom_service', 'member') and heirloom.serves_all())
$$;
