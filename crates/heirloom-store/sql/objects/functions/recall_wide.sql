-- heirloom.recall where a namespace is too large to be read for every question: candidates from the indexes that upkeep
-- gave it (its rarest words; the nearest signs), scored as in heirloom.recall, their neighbours found by memory_session.
-- The small namespaces of the same call are read whole. Called by heirloom.recall alone.
--
-- Candidates are known by their places (ctid), which are good for one statement and read in the order they lie in; thousands
-- of descents into an index on text would cost more than all the scoring. Bitmap scans are on again here: words have no
-- other way into their index.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
    dimension constant integer := (select m.dimension from heirloom.meta m);
    iterative constant boolean := (
        select string_to_array(regexp_replace(e.extversion, '[^0-9.].*', ''), '.')::integer[] >= array[0, 8]
        from pg_catalog.pg_extension e
        where e.extname = 'vector'
    );
begin
    execute format($ddl$
create or replace function heirloom.recall_wide(
    required tsquery,
    refused tsquery,
    lexemes text[],
    weights %1$I.sparsevec,
    content_words text[],
    knows_one boolean,
    query_embedding %1$I.vector,
    signs bit,
    dimensions double precision,
    query_model text,
    namespaces text[],
    k integer,
    kinds text[],
    include_unverified boolean,
    at timestamptz,
    role text,
    exclude_dag text,
    content_types text[],
    also_states text[],
    use_sessions boolean
) returns table (
    namespace text,
    id uuid,
    created_at timestamptz,
    score double precision,
    lexical double precision,
    semantic double precision,
    context double precision,
    boost double precision,
    similarity double precision
)
language plpgsql
stable
set search_path = pg_catalog, %1$I
set jit = off
set enable_seqscan = off
set enable_bitmapscan = on
set plan_cache_mode = force_generic_plan
set hnsw.ef_search = 200
%3$s
as $body$
#variable_conflict use_column
declare
    here text;
    found tid[];
    near tid[];
    places tid[] := '{}';
    wanted constant integer := greatest(100, least(coalesce(k, 8000), 8000));
begin
    signs := signs::bit(%2$s);
    foreach here in array namespaces loop
        if not exists (select from heirloom.frequency f where f.namespace = here and f.is_indexed) then
            found := array(select m.ctid from heirloom.memory m where m.namespace = here);
        else
            found := '{}';
            if weights is not null then
                if row_security_active('heirloom.memory') then
                    found := heirloom.word_candidates(
                        coalesce(required, heirloom.rare_words(lexemes, content_words, here)), here
                    );
                else
                    execute format(
                        'select array(
                             select m.ctid from heirloom.memory m where m.namespace = %%L and m.content_tsv @@ $1 limit 8000
                         )',
                        here
                    )
                    into found
                    using coalesce(required, heirloom.rare_words(lexemes, content_words, here));
                end if;
            end if;
            if signs is not null then
                execute format(
                    'select array(
                         select m.ctid
                         from heirloom.memory m
                         where m.namespace = %%L
                             and heirloom.is_recallable(m, $3, $4, $5, $6, $7, $8, $9)
                             and ($10 is null or m.embedding_model is null or m.embedding_model = $10)
                         order by m.sign_bits <~> $1
                         limit $2
                     )',
                    here
                )
                into near
                using signs::bit(%2$s), wanted, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types,
                    also_states, query_model;
                found := found || near;
            elsif query_embedding is not null then
                -- A model of so few vectors that it has no centre yet: its rows are few, and asked one by one.
                found := found || array(
                    select m.ctid
                    from heirloom.memory m
                    where m.namespace = here
                        and m.embedding is not null
                        and heirloom.is_recallable(
                            m, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types, also_states
                        )
                        and (query_model is null or m.embedding_model is null or m.embedding_model = query_model)
                    order by m.embedding <=> query_embedding
                    limit wanted
                );
            end if;
        end if;
        places := places || found;
    end loop;

    return query
    with candidate as materialized (
        select m.ctid as place, m.id, m.created_at, s.l, s.s, heirloom.recall_boost(m.pin, m.importance, m.state) as boost
        from heirloom.memory m
        cross join lateral (
            select greatest(-(coalesce(m.word_vector, m.word_vector_long) <#> weights), 0) as l,
                case
                    when query_embedding is null or (query_model is not null and m.embedding_model <> query_model) then null
                    when signs is not null and m.sign_bits is not null then
                        1 - 2 * (m.sign_bits <~> signs::bit(%2$s)) / dimensions
                    else nullif(1 - (m.embedding <=> query_embedding), 'NaN')
                end as s
        ) s
        where m.ctid = any (places)
            and heirloom.is_recallable(m, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types, also_states)
            and (required is null or m.content_tsv @@ required)
            and (refused is null or not m.content_tsv @@ refused)
    ),
    best as materialized (
        select b.l, b.s,
            case
                when b.s is null then 1
                when b.l is null then 0
                when knows_one or heirloom.says_something(content_words, namespaces) then 0.6
                else 0
            end as words_count_for
        from (select nullif(max(c.l), 0) as l, nullif(greatest(max(c.s), 0), 0) as s from candidate c) b
    ),
    anchor as materialized (
        select o.place, o.f - greatest(0.3, nth_value(o.f, 41) over (rows between unbounded preceding and unbounded following)) as x
        from (
            select c.place,
                coalesce(b.words_count_for * c.l / b.l, 0)
                + coalesce((1 - b.words_count_for) * greatest(c.s, 0) / b.s, 0) as f
            from candidate c, best b
            where use_sessions
            order by f desc, c.created_at, c.id
            limit 41
        ) o
    ),
    lifted as materialized (
        select f.place, sum(a.x * case f.step when 1 then 0.7 when 2 then 0.4 when -1 then 0.4 else 0.2 end) as context
        from anchor a
        join heirloom.memory m on m.ctid = a.place
        cross join lateral heirloom.recall_neighbours(
            m.namespace, m.source_run_id, m.created_at, m.id, at, include_unverified, kinds, recall_wide.role, exclude_dag,
            content_types, also_states, required, refused
        ) f
        where a.x > 0
        group by f.place
    ),
    row_of as (
        select c.place, c.id, c.created_at, c.l, c.s, c.boost, coalesce(l.context, 0) as context
        from candidate c
        left join lifted l on l.place = c.place
        union all
        select m.ctid, m.id, m.created_at,
            greatest(-(coalesce(m.word_vector, m.word_vector_long) <#> weights), 0),
            case
                when query_embedding is null or (query_model is not null and m.embedding_model <> query_model) then null
                when signs is not null and m.sign_bits is not null then
                        1 - 2 * (m.sign_bits <~> signs::bit(%2$s)) / dimensions
                else nullif(1 - (m.embedding <=> query_embedding), 'NaN')
            end,
            heirloom.recall_boost(m.pin, m.importance, m.state), l.context
        from lifted l
        join heirloom.memory m on m.ctid = l.place
        where not exists (select from candidate c where c.place = l.place)
    ),
    ranked as materialized (
        select f.place, f.context, f.boost, f.lexical, f.semantic,
            round((f.lexical + f.semantic + f.context + f.boost) * 1e9) / 1e9 as score
        from (
            select o.*, coalesce(b.words_count_for * o.l / b.l, 0) as lexical,
                coalesce((1 - b.words_count_for) * greatest(o.s, 0) / b.s, 0) as semantic
            from row_of o, best b
        ) f
        where f.lexical + f.semantic > 0
            or (f.context > 0 and (select n.source_run_id is not null from heirloom.memory n where n.ctid = f.place))
        order by score desc, f.created_at desc nulls last, f.id
        limit k
    )
    select m.namespace, m.id, m.created_at, r.score, r.lexical, r.semantic, r.context, r.boost,
        case
            when query_embedding is not null and (query_model is null or coalesce(m.embedding_model, query_model) = query_model)
            then nullif(1 - (m.embedding <=> query_embedding), 'NaN')
        end
    from ranked r
    join heirloom.memory m on m.ctid = r.place
    order by r.score desc, m.created_at desc nulls last, m.id;
end
$body$
$ddl$, pgvector, dimension, case when iterative then 'set hnsw.iterative_scan = relaxed_order' else '' end);
end
$do$;
