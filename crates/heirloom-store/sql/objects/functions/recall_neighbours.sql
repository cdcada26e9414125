-- The rows next to one row of a large namespace that recall may show: up to two before it and two after it, of the same
-- session in the order of (created_at, id); without a session, none across a gap of more than 30 minutes. step counts
-- from it, −2 to 2. A row of the same time as the one before it has no order and ends the walk.
--
-- The collation is spelt out: called with a column of another one, `run` would have that, and no index would serve it.

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
) returns table (id uuid, step integer)
language plpgsql
stable
set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
    direction integer;
    place integer;
    before timestamptz;
    row record;
begin
    foreach direction in array array[1, -1] loop
        place := 0;
        before := created;
        for row in
            select n.id, n.created_at
            from (
                select m.id, m.created_at
                from heirloom.memory m
                where direction = 1 and m.namespace = in_namespace and m.source_run_id = run collate "default"
                    and (m.created_at, m.id) > (created, of_id)
                    and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                    and (required is null or m.content_tsv @@ required)
                    and (refused is null or not m.content_tsv @@ refused)
                order by m.created_at, m.id
                limit 2
            ) n
            union all
            select n.id, n.created_at
            from (
                select m.id, m.created_at
                from heirloom.memory m
                where direction = -1 and m.namespace = in_namespace and m.source_run_id = run collate "default"
                    and (m.created_at, m.id) < (created, of_id)
                    and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                    and (required is null or m.content_tsv @@ required)
                    and (refused is null or not m.content_tsv @@ refused)
                order by m.created_at desc, m.id desc
                limit 2
            ) n
            union all
            select n.id, n.created_at
            from (
                select m.id, m.created_at
                from heirloom.memory m
                where run is null and direction = 1 and m.namespace = in_namespace and m.source_run_id is null
                    and (m.created_at, m.id) > (created, of_id) and m.created_at <= created + interval '1 hour'
                    and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                    and (required is null or m.content_tsv @@ required)
                    and (refused is null or not m.content_tsv @@ refused)
                order by m.created_at, m.id
                limit 2
            ) n
            union all
            select n.id, n.created_at
            from (
                select m.id, m.created_at
                from heirloom.memory m
                where run is null and direction = -1 and m.namespace = in_namespace and m.source_run_id is null
                    and (m.created_at, m.id) < (created, of_id) and m.created_at >= created - interval '1 hour'
                    and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                    and (required is null or m.content_tsv @@ required)
                    and (refused is null or not m.content_tsv @@ refused)
                order by m.created_at desc, m.id desc
                limit 2
            ) n
        loop
            exit when row.created_at = before
                or (run is null and abs(extract(epoch from row.created_at - before)) > 1800);
            place := place + direction;
            before := row.created_at;
            id := row.id;
            step := place;
            return next;
        end loop;
    end loop;
end
$$;
