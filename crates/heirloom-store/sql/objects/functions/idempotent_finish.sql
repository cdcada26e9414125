-- Keeps what was answered to a write that claimed a key; without a status the claim is given back, so that the write may
-- be tried again. As the owner; a login that an administrator bound to namespaces has no business here.

create or replace function heirloom.idempotent_finish(
    in_token uuid,
    in_key text,
    in_sha256 bytea,
    in_status integer,
    in_response jsonb
) returns boolean
language plpgsql
security definer
set search_path = pg_catalog
as $$
begin
    if exists (select from heirloom.bound_role b where b.role_name = session_user) then
        raise exception 'this login is bound to namespaces' using errcode = 'insufficient_privilege';
    end if;
    if in_status is null then
        delete from heirloom.idempotency i
        where i.token_id = in_token and i.key = in_key and i.request_sha256 = in_sha256 and i.status is null;
    else
        update heirloom.idempotency i
        set status = in_status, response = in_response
        where i.token_id = in_token and i.key = in_key and i.request_sha256 = in_sha256 and i.status is null;
    end if;
    return found;
end
$$;

revoke all on function heirloom.idempotent_finish(uuid, text, bytea, integer, jsonb) from public;
grant execute on function heirloom.idempotent_finish(uuid, text, bytea, integer, jsonb) to heirloom_serve;
