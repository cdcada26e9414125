-- Forgets answers of more than a day; upkeep calls it. Returns how many. As the owner.

create or replace function heirloom.idempotent_expire() returns bigint
language sql
security definer
set search_path = pg_catalog
as $$
    with gone as (
        delete from heirloom.idempotency i where i.at < now() - interval '1 day' returning 1
    )
    select count(*) from gone
$$;

revoke all on function heirloom.idempotent_expire() from public;
grant execute on function heirloom.idempotent_expire() to heirloom_serve;
