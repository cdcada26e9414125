-- What led to a lesson, or followed from it: along causal links, each lesson once a path, at most max_depth (20) steps.
-- Relations are compared without case, and CAUSED_BY is causal, DERIVED_FROM derives_from.

create or replace function pgmnemo.traverse_causal_chain(
    start_id bigint,
    max_depth integer default 5,
    relation_types text[] default array['causal', 'derives_from', 'contradicts'],
    only_active boolean default true,
    direction text default 'forward'
) returns table (
    lesson_id bigint,
    depth integer,
    path bigint[],
    path_weight real,
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
    wanted text[];
begin
    if direction is null or direction not in ('forward', 'backward', 'both') then
        raise exception 'pgmnemo.traverse_causal_chain: direction is ''%''; it takes forward, backward or both', direction;
    end if;
    select array_agg(case lower(t.name) when 'caused_by' then 'causal' when 'derived_from' then 'derives_from' else lower(t.name) end)
    into wanted
    from unnest(relation_types) t (name);

    return query
    with recursive link as (
        select e.namespace, e.weight, s.id as from_id, t.id as to_id
        from heirloom.edge e
        cross join lateral (
            select e.source_id as id, e.target_id as other where direction <> 'backward'
            union all
            select e.target_id, e.source_id where direction <> 'forward'
        ) s
        cross join lateral (select s.other as id) t
        where e.kind = 'causal'
            and (e.valid_to is null or e.valid_to > now())
            and (
                wanted is null
                or case lower(e.relation) when 'caused_by' then 'causal' when 'derived_from' then 'derives_from' else lower(e.relation) end
                    = any (wanted)
            )
    ),
    walk as (
        select m.namespace, m.id, m.lesson_id, 0 as depth, array[m.lesson_id] as path, 1::real as path_weight
        from heirloom.memory m
        where m.lesson_id = start_id and m.kind = 'lesson'
        union all
        select n.namespace, n.id, n.lesson_id, w.depth + 1, w.path || n.lesson_id, (w.path_weight * l.weight)::real
        from walk w
        join link l on l.namespace = w.namespace and l.from_id = w.id
        join heirloom.memory n on n.namespace = l.namespace and n.id = l.to_id
        where w.depth < least(max_depth, 20) and n.lesson_id <> all (w.path)
    )
    select w.lesson_id, w.depth, w.path, w.path_weight, m.role, m.topic, m.content, m.importance, m.created_at,
        m.commit_sha, m.verified_at
    from walk w
    join heirloom.memory m on m.namespace = w.namespace and m.id = w.id
    where w.depth > 0
        and (not only_active or m.is_active)
        and (m.expires_at is null or m.expires_at > now())
        and not exists (
            select from heirloom.namespace n where n.name = m.namespace and n.expires_at <= statement_timestamp()
        )
    order by w.depth, w.path_weight desc, w.lesson_id;
end
$$;
