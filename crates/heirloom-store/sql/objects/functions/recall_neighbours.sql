-- What the best rows of large namespaces give their neighbours: where each lies, and the sum of what it gets. A neighbour is
-- one of up to two before a row and two after it that recall may show, of the same session in the order of (created_at,
-- id); without a session, none across a gap of more than 30 minutes. A row of the same time as the one before it has no
-- order and ends the walk. Places are good for the statement that asks.
--
-- One statement for all rows, so that steps are counted once and not for every row anew; in four parts, because an index is
-- gone through forwards or backwards, and to a session or to those without one, and to no mixture. The collation is spelt out: `run`
-- would have that of another column, and no index would serve it.

-- Of earlier versions, which asked row by row.
drop function if exists heirloom.recall_neighbours(
    text, text, timestamptz, uuid, timestamptz, boolean, text[], text, text, text[], text[], tsquery, tsquery
);

create or replace function heirloom.recall_neighbours(
    anchors tid[],
    lifts double precision[],
    at timestamptz,
    include_unverified boolean,
    kinds text[],
    role text,
    exclude_dag text,
    content_types text[],
    also_states text[],
    required tsquery,
    refused tsquery
) returns table (place tid, context double precision)
language plpgsql
stable
set search_path = pg_catalog
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
    return query
    with anchor as materialized (
        select l.number, l.lift, m.namespace, m.source_run_id as run, m.created_at, m.id
        from unnest(anchors, lifts) with ordinality l(place, lift, number)
        join heirloom.memory m on m.ctid = l.place
        where l.lift > 0
    ),
    near as (
        select a.number, 1 as way, a.lift, a.run, a.created_at as since, f.place, f.created_at, f.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where m.namespace = a.namespace and m.source_run_id = a.run collate "default"
                and (m.created_at, m.id) > (a.created_at, a.id)
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at, m.id
            limit 2
        ) f
        union all
        select a.number, -1, a.lift, a.run, a.created_at, b.place, b.created_at, b.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where m.namespace = a.namespace and m.source_run_id = a.run collate "default"
                and (m.created_at, m.id) < (a.created_at, a.id)
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at desc, m.id desc
            limit 2
        ) b
        union all
        select a.number, 1, a.lift, a.run, a.created_at, f.place, f.created_at, f.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where a.run is null and m.namespace = a.namespace and m.source_run_id is null
                and (m.created_at, m.id) > (a.created_at, a.id) and m.created_at <= a.created_at + interval '1 hour'
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at, m.id
            limit 2
        ) f
        union all
        select a.number, -1, a.lift, a.run, a.created_at, b.place, b.created_at, b.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where a.run is null and m.namespace = a.namespace and m.source_run_id is null
                and (m.created_at, m.id) < (a.created_at, a.id) and m.created_at >= a.created_at - interval '1 hour'
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at desc, m.id desc
            limit 2
        ) b
    )
    select r.place, sum(r.lift * case r.way * r.step when 1 then 0.7::double precision when 2 then 0.4 when -1 then 0.4 else 0.2 end)
    from (
        select s.place, s.lift, s.way, s.step,
            bool_and(
                s.created_at <> s.before and (s.run is not null or abs(extract(epoch from s.created_at - s.before)) <= 1800)
            ) over (partition by s.number, s.way order by s.step) as reached
        from (
            select n.*, row_number() over along as step, lag(n.created_at, 1, n.since) over along as before
            from near n
            window along as (
                partition by n.number, n.way
                order by case n.way when 1 then n.created_at end, case n.way when 1 then n.id end,
                    case n.way when -1 then n.created_at end desc, case n.way when -1 then n.id end desc
            )
        ) s
    ) r
    where r.reached
    group by r.place;
end
$$;
