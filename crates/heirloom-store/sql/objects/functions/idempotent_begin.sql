-- Claims a key for one write, or says why not: fresh, replay (with what was answered), mismatch (the key was used for
-- another request), busy (the same request is at work). A claim of more than a day is forgotten; one of more than two
-- minutes without an answer was left by a process that died, and is taken over.
--
-- As the owner; a login that an administrator bound to namespaces has no business here.

create or replace function heirloom.idempotent_begin(
    in_token uuid,
    in_key text,
    in_sha256 bytea,
    out outcome text,
    out status integer,
    out response jsonb
)
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    known heirloom.idempotency;
begin
    if exists (select from heirloom.bound_role b where b.role_name = session_user) then
        raise exception 'this login is bound to namespaces' using errcode = 'insufficient_privilege';
    end if;
    insert into heirloom.idempotency as i (token_id, key, request_sha256)
    values (in_token, in_key, in_sha256)
    on conflict (token_id, key) do update
    set request_sha256 = excluded.request_sha256, status = null, response = null, at = now()
    where i.at < now() - interval '1 day'
        or (i.status is null and i.request_sha256 = excluded.request_sha256 and i.at < now() - interval '2 minutes');
    if found then
        outcome := 'fresh';
        return;
    end if;
    select i.* into known from heirloom.idempotency i where i.token_id = in_token and i.key = in_key;
    status := known.status;
    outcome := case
        when known.request_sha256 <> in_sha256 then 'mismatch'
        when known.status is null then 'busy'
        else 'replay'
    end;
    if outcome = 'replay' then
        response := known.response;
    end if;
end
$$;

revoke all on function heirloom.idempotent_begin(uuid, text, bytea) from public;
grant execute on function heirloom.idempotent_begin(uuid, text, bytea) to heirloom_serve;
