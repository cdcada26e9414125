-- What the policies of heirloom.memory say of one namespace, for a function that runs as somebody else and must ask
-- itself. A policy goes by the role that SET ROLE chose, else by the login: a member of the service role who names
-- nothing sees all. A superuser who serves (SET ROLE heirloom_serve) does not.

create or replace function heirloom.may_see(in_namespace text) returns boolean
language sql
stable
set search_path = pg_catalog
as $$
    select coalesce(in_namespace = any (heirloom.visible_namespaces()), false)
        or (
            pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user), 'heirloom_service', 'member')
            and heirloom.serves_all()
        )
$$;
