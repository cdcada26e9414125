-- Where the rows lie next to one row of a large namespace that recall may show: up to two before it and two after it, of the
-- same session in the order of (created_at, id); without a session, none across a gap of more than 30 minutes. step counts
-- from it, −2 to 2. A row of the same time as the one before it has no order and ends the walk. Places are good for the
-- statement that asks.
--
-- The collation is spelt out: called with a column of another one, `run` would have that, and no index would serve it.

-- What a function gives back cannot be replaced.
drop function if exists heirloom.recall_neighbours(
    text, text, timestamptz, uuid, timestamptz, boolean, text[], text, text, text[], text[], tsquery, tsquery
);

create or replace function heirloom.recall_neighbours(
    in_namespace text,
    run text,
    created timestamptz,
    of_id uuid,
    at timestamptz,
    include_unverified boolean,
    kinds text[],
    role text,
    exclude_dag text,
    content_types text[],
    also_states text[],
    required tsquery,
    refused tsquery
) returns table (place tid, step integer)
language sql
stable
as $$
    select p.place, p.step
    from (
        select w.place, w.step,
            bool_and(
                w.created_at <> w.before and (run is not null or abs(extract(epoch from w.created_at - w.before)) <= 1800)
            ) over (partition by sign(w.step) order by abs(w.step)) as reached
        from (
            select n.place, n.created_at, n.step,
                lag(n.created_at, 1, created) over (partition by sign(n.step) order by abs(n.step)) as before
            from (
                select f.place, f.created_at, row_number() over (order by f.created_at, f.id)::integer as step
                from (
                    select m.ctid as place, m.created_at, m.id
                    from heirloom.memory m
                    where run is not null and m.namespace = in_namespace and m.source_run_id = run collate "default"
                        and (m.created_at, m.id) > (created, of_id)
                        and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                        and (required is null or m.content_tsv @@ required)
                        and (refused is null or not m.content_tsv @@ refused)
                    order by m.created_at, m.id
                    limit 2
                ) f
                union all
                select b.place, b.created_at, -row_number() over (order by b.created_at desc, b.id desc)::integer
                from (
                    select m.ctid as place, m.created_at, m.id
                    from heirloom.memory m
                    where run is not null and m.namespace = in_namespace and m.source_run_id = run collate "default"
                        and (m.created_at, m.id) < (created, of_id)
                        and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                        and (required is null or m.content_tsv @@ required)
                        and (refused is null or not m.content_tsv @@ refused)
                    order by m.created_at desc, m.id desc
                    limit 2
                ) b
                union all
                select f.place, f.created_at, row_number() over (order by f.created_at, f.id)::integer
                from (
                    select m.ctid as place, m.created_at, m.id
                    from heirloom.memory m
                    where run is null and m.namespace = in_namespace and m.source_run_id is null
                        and (m.created_at, m.id) > (created, of_id) and m.created_at <= created + interval '1 hour'
                        and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                        and (required is null or m.content_tsv @@ required)
                        and (refused is null or not m.content_tsv @@ refused)
                    order by m.created_at, m.id
                    limit 2
                ) f
                union all
                select b.place, b.created_at, -row_number() over (order by b.created_at desc, b.id desc)::integer
                from (
                    select m.ctid as place, m.created_at, m.id
                    from heirloom.memory m
                    where run is null and m.namespace = in_namespace and m.source_run_id is null
                        and (m.created_at, m.id) < (created, of_id) and m.created_at >= created - interval '1 hour'
                        and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                        and (required is null or m.content_tsv @@ required)
                        and (refused is null or not m.content_tsv @@ refused)
                    order by m.created_at desc, m.id desc
                    limit 2
                ) b
            ) n
        ) w
    ) p
    where p.reached
$$;
