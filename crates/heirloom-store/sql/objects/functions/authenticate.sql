-- The living token whose secret has this sha256. As the owner of the tokens, so that a serving login needs no right on
-- their table; who does not have the secret cannot guess its digest.

create or replace function heirloom.authenticate(in_sha256 bytea)
returns table (
    id uuid,
    name text,
    namespaces text[],
    rights text,
    rate_per_minute integer,
    created_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz
)
language sql
stable
security definer
set search_path = pg_catalog
as $$
    select t.id, t.name, t.namespaces, t.rights, t.rate_per_minute, t.created_at, t.expires_at, t.revoked_at
    from heirloom.token t
    where t.sha256 = in_sha256
        and t.revoked_at is null
        and (t.expires_at is null or t.expires_at > statement_timestamp())
$$;

revoke all on function heirloom.authenticate(bytea) from public;
grant execute on function heirloom.authenticate(bytea) to heirloom_serve;
