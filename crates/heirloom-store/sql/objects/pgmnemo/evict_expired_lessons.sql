-- Removes what has expired, oldest first, and returns how many. What goes is forgotten as by `heirloom forget`: a
-- tombstone keeps an import from bringing it back, and a line of activity says who removed what, without the text.
-- dry_run counts and removes nothing; batch_limit bounds one call.

create or replace function pgmnemo.evict_expired_lessons(
    dry_run boolean default false,
    batch_limit integer default null
) returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
    evicted integer;
begin
    if evict_expired_lessons.batch_limit < 0 then
        raise exception 'batch_limit is %: it takes 0 or more, or NULL for all', evict_expired_lessons.batch_limit
            using errcode = 'invalid_parameter_value';
    end if;
    -- NULL is no order to delete.
    if coalesce(evict_expired_lessons.dry_run, true) then
        select count(*) into evicted
        from (
            select
            from heirloom.memory m
            where m.kind = 'lesson' and m.expires_at < now()
            limit evict_expired_lessons.batch_limit
        ) expired;
        return evicted;
    end if;

    perform set_config('heirloom.noted', 'on', true);
    with expired as materialized (
        select m.namespace, m.id
        from heirloom.memory m
        where m.kind = 'lesson' and m.expires_at < now()
        order by m.expires_at, m.namespace, m.id
        limit evict_expired_lessons.batch_limit
        for update
    ),
    gone as (
        delete from heirloom.memory m
        using expired e
        where m.namespace = e.namespace and m.id = e.id
        returning m.namespace, m.id, m.lesson_id, m.expires_at, sha256(convert_to(m.content, 'UTF8')) as digest
    ),
    origin_gone as (
        delete from heirloom.origin o
        using expired e
        where o.namespace = e.namespace and o.id = e.id
    ),
    tombstone as (
        insert into heirloom.tombstone (id, namespace, reason)
        select g.id, g.namespace, 'expired'
        from gone g
        on conflict (id, namespace) do nothing
    ),
    noted as (
        insert into heirloom.activity (action, namespace, memory_id, content_sha256, details)
        select 'evict', g.namespace, g.id, g.digest,
            jsonb_build_object('reason', 'expired', 'lesson_id', g.lesson_id, 'expires_at', g.expires_at)
        from gone g
    )
    select count(*) into evicted from gone;
    perform set_config('heirloom.noted', 'off', true);
    return evicted;
end
$$;
