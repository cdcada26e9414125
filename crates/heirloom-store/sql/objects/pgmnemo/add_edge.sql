-- Links two lessons of one project. The same link again replaces its weight, takes the greater (max) or the mean (avg).
-- Which kind of link it is follows from the relation.

create or replace function pgmnemo.add_edge(
    p_source_id bigint,
    p_target_id bigint,
    p_relation_type text,
    p_weight double precision default 1.0,
    p_metadata jsonb default '{}',
    p_mode text default 'replace'
) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
    missing bigint;
    source record;
    target uuid;
begin
    if p_mode is null or p_mode not in ('replace', 'max', 'avg') then
        raise exception 'pgmnemo.add_edge: unknown mode ''%''; it takes replace, max or avg', p_mode;
    end if;
    if p_source_id is null or p_target_id is null or p_relation_type is null then
        raise exception 'pgmnemo.add_edge: source, target and relation are all needed' using errcode = 'not_null_violation';
    end if;
    select w.id into missing
    from unnest(array[p_source_id, p_target_id]) w (id)
    where not exists (select from heirloom.memory m where m.lesson_id = w.id and m.kind = 'lesson')
    limit 1;
    if found then
        raise exception 'lesson % not found', missing using errcode = 'foreign_key_violation';
    end if;
    select s.namespace, s.id into source
    from heirloom.memory s
    join heirloom.memory t on t.namespace = s.namespace
    where s.lesson_id = p_source_id and t.lesson_id = p_target_id and s.kind = 'lesson' and t.kind = 'lesson'
    limit 1;
    if not found then
        raise exception 'pgmnemo.add_edge: lessons % and % are of different projects; a link stays within one',
            p_source_id, p_target_id
            using errcode = 'foreign_key_violation';
    end if;
    select t.id into target
    from heirloom.memory t
    where t.lesson_id = p_target_id and t.namespace = source.namespace;

    insert into heirloom.edge as e (namespace, source_id, target_id, relation, kind, weight, metadata)
    values (
        source.namespace, source.id, target, p_relation_type,
        case
            when p_relation_type in ('CAUSED_BY', 'DERIVED_FROM', 'CONTRADICTS') then 'causal'
            when p_relation_type in ('CO_OCCURRED', 'PRECEDED_BY') then 'temporal'
            when p_relation_type in ('ENTITY_LINK', 'SHARED_TAG', 'IS_A', 'PART_OF') then 'entity'
            when lower(p_relation_type) in ('causal', 'derives_from', 'contradicts') then 'causal'
            when lower(p_relation_type) in ('temporal', 'entity') then lower(p_relation_type)
            else 'semantic'
        end,
        least(greatest(coalesce(p_weight, 1), 0), 1), coalesce(p_metadata, '{}')
    )
    on conflict (namespace, source_id, target_id, relation) do update set
        weight = case
            when p_mode = 'max' and e.valid_to is null then greatest(e.weight, excluded.weight)
            when p_mode = 'avg' and e.valid_to is null then (e.weight + excluded.weight) / 2
            else excluded.weight
        end,
        metadata = excluded.metadata,
        valid_from = case when e.valid_to is null then e.valid_from else now() end,
        valid_to = null;
end
$$;
