-- What was learnt around the same time as a lesson, in its own project: linked lessons first, then the nearest in time.
-- include_unlinked = false leaves those without a link out. Ghosts as in recall.

create or replace function pgmnemo.traverse_temporal_window(
    start_id bigint,
    window_interval interval default '15 minutes',
    include_unlinked boolean default true,
    role_filter text default null,
    project_id_filter integer default null,
    k integer default 20
) returns table (
    lesson_id bigint,
    time_delta_sec double precision,
    linked boolean,
    edge_weight real,
    role text,
    topic text,
    lesson_text text,
    importance smallint,
    created_at timestamptz,
    commit_sha text,
    verified_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog
as $$
#variable_conflict use_column
declare
    unverified constant boolean := heirloom.setting_flag('pgmnemo.include_unverified', false);
    anchor record;
begin
    select m.namespace, m.id, m.created_at into anchor
    from heirloom.memory m
    where m.lesson_id = start_id and m.kind = 'lesson'
    order by m.namespace
    limit 1;
    if not found then
        return;
    end if;
    return query
    select m.lesson_id,
        abs(extract(epoch from m.created_at - anchor.created_at))::double precision,
        e.weight is not null,
        e.weight,
        m.role, m.topic, m.content, m.importance, m.created_at, m.commit_sha, m.verified_at
    from heirloom.memory m
    cross join lateral (
        select max(x.weight) as weight
        from heirloom.edge x
        where x.namespace = anchor.namespace
            and (x.valid_to is null or x.valid_to > now())
            and (
                (x.source_id = anchor.id and x.target_id = m.id)
                or (x.target_id = anchor.id and x.source_id = m.id)
            )
    ) e
    where m.namespace = anchor.namespace
        and m.id <> anchor.id
        and m.kind = 'lesson'
        and m.is_active
        and m.t_valid_to = 'infinity'
        and (m.expires_at is null or m.expires_at > now())
        and not exists (
            select from heirloom.namespace n where n.name = m.namespace and n.expires_at <= statement_timestamp()
        )
        and (unverified or m.verified_at is not null)
        and (role_filter is null or m.role = role_filter)
        and (project_id_filter is null or m.project_id = project_id_filter)
        and m.created_at between anchor.created_at - window_interval and anchor.created_at + window_interval
        and (include_unlinked or e.weight is not null)
    order by 3 desc, 2, m.lesson_id
    limit k;
end
$$;
