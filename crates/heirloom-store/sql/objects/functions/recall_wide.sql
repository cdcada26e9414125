-- heirloom.recall where a namespace is too large to be read for every question: candidates from the indexes that upkeep
-- gave it (its rarest words; the nearest signs), scored as in heirloom.recall, their neighbours found by memory_session.
-- The small namespaces of the same call are read whole. Called by heirloom.recall alone.
--
-- What is read goes into arrays and is joined by number: no plan knows how many candidates a question has, and one that
-- guessed few went through all of them for every neighbour.
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
    -- What is read of a candidate, and of a neighbour that is none.
    row_of_memory constant text := $row$select m.ctid as place, m.namespace, m.id, m.created_at,
            case
                when m.source_run_id is null then 1
                else hashtextextended(m.source_run_id, 0) & -2
            end as session,
            -(coalesce(m.word_vector, m.word_vector_long) <#> weights) as l,
            case
                when query_embedding is null or (query_model is not null and m.embedding_model <> query_model) then null
                when of_signs is not null and m.sign_bits is not null then 1 - 2 * (m.sign_bits <~> of_signs) / dimensions
                else nullif(1 - (m.embedding <=> query_embedding), 'NaN')
            end as s,
            heirloom.recall_boost(m.pin, m.importance, m.state) as boost
        from heirloom.memory m$row$;
    iterative constant boolean := (
        select string_to_array(regexp_replace(e.extversion, '[^0-9.].*', ''), '.')::integer[] >= array[0, 8]
        from pg_catalog.pg_extension e
        where e.extname = 'vector'
    );
begin
    -- A session that has not met a vector does not know pgvector's settings, and lets a superuser alone name them.
    execute format('select %L::%I.vector', '[1]', pgvector);
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
    words tsquery;
    at_least integer;
    most integer;
    places tid[] := '{}';
    asked constant integer := least(coalesce(k, 8000), 8000);
    wanted constant integer := greatest(100, asked);
    of_signs constant bit(%2$s) := signs;
    -- The rows that were read, a number each: one array a column.
    scopes text[];
    ids uuid[];
    times timestamptz[];
    sessions bigint[];
    lexicals double precision[];
    semantics double precision[];
    boosts double precision[];
    best_lexical double precision;
    best_semantic double precision;
    last integer;
    of_words double precision;
    of_meaning double precision;
    -- The numbers worth scoring, what neighbours give them, and what no other row's match exceeds.
    numbers integer[];
    lifts double precision[];
    contexts double precision[];
    beyond double precision;
    lifted_numbers integer[];
    lifted_contexts double precision[];
    unread tid[];
    unread_contexts double precision[];
begin
    foreach here in array namespaces loop
        if not exists (select from heirloom.frequency f where f.namespace = here and f.is_indexed) then
            found := array(select m.ctid from heirloom.memory m where m.namespace = here);
        else
            found := '{}';
            if weights is not null then
                -- Any word may match: where the rarest leave fewer than are asked for, commoner ones fill up.
                foreach at_least in array array[1, asked] loop
                    words := coalesce(required, heirloom.rare_words(lexemes, content_words, here, at_least));
                    if refused is not null then
                        words := words && !! refused;
                    end if;
                    most := case at_least when 1 then 8000 else 2000 end;
                    if row_security_active('heirloom.memory') then
                        near := heirloom.word_candidates(
                            words, here, most, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types,
                            also_states
                        );
                    else
                        execute format(
                            'select array(
                                 select m.ctid
                                 from heirloom.memory m
                                 where m.namespace = %%L
                                     and m.content_tsv @@ $1
                                     and heirloom.is_recallable(m, $3, $4, $5, $6, $7, $8, $9)
                                 limit $2
                             )',
                            here
                        )
                        into near
                        using words, most, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types,
                            also_states;
                    end if;
                    found := found || near;
                    exit when required is not null or cardinality(found) >= asked;
                end loop;
            end if;
            if of_signs is not null then
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
                using of_signs, wanted, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types,
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

    select array_agg(s.place), array_agg(s.namespace), array_agg(s.id), array_agg(s.created_at), array_agg(s.session),
        array_agg(s.l), array_agg(s.s), array_agg(s.boost), nullif(max(s.l), 0), nullif(greatest(max(s.s), 0), 0), count(*)
    into places, scopes, ids, times, sessions, lexicals, semantics, boosts, best_lexical, best_semantic, last
    from (
        %4$s
        where m.ctid = any (places)
            and heirloom.is_recallable(m, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types, also_states)
            and (required is null or m.content_tsv @@ required)
            and (refused is null or not m.content_tsv @@ refused)
    ) s;
    if last = 0 then
        return;
    end if;
    select t.of_words, t.of_meaning, t.numbers, t.lifts, t.beyond
    into of_words, of_meaning, numbers, lifts, beyond
    from heirloom.recall_top(
        lexicals, semantics, best_lexical, best_semantic, knows_one, content_words, namespaces
    ) t;

    if use_sessions then
        select array_agg(n.place), array_agg(n.context)
        into unread, lifted_contexts
        from heirloom.recall_neighbours(
            array(select places[a.number] from unnest(numbers) a(number)), lifts, at, include_unverified, kinds,
            recall_wide.role, exclude_dag, content_types, also_states, required, refused
        ) n;
        -- A full join goes through each side once, however many there are.
        select array_agg(j.number) filter (where j.number is not null), array_agg(j.context) filter (where j.number is not null),
            array_agg(j.place order by j.place) filter (where j.number is null),
            array_agg(j.context order by j.place) filter (where j.number is null)
        into lifted_numbers, lifted_contexts, unread, unread_contexts
        from (
            select p.number::integer as number, l.place, l.context
            from unnest(places) with ordinality p(place, number)
            full join unnest(unread, lifted_contexts) l(place, context) on l.place = p.place
            offset 0
        ) j
        where j.place is not null;
        if unread is not null then
            select scopes || array_agg(s.namespace), ids || array_agg(s.id), times || array_agg(s.created_at),
                sessions || array_agg(s.session), lexicals || array_agg(s.l), semantics || array_agg(s.s),
                boosts || array_agg(s.boost), lifted_numbers || array_agg(last + s.number), lifted_contexts || unread_contexts
            into scopes, ids, times, sessions, lexicals, semantics, boosts, lifted_numbers, lifted_contexts
            from (
                select r.*, row_number() over (order by r.place)::integer as number
                from (
                    %4$s
                    where m.ctid = any (unread)
                ) r
                order by r.place
            ) s;
        end if;
    end if;
    select array_agg(n.number), array_agg(n.context)
    into numbers, contexts
    from (
        select l.number, sum(coalesce(l.context, 0)) as context
        from (
            select unnest(numbers) as number, 0::double precision as context
            union all
            select unnest(lifted_numbers), unnest(lifted_contexts)
        ) l
        group by l.number
    ) n;

    return query
    select f.namespace, f.id, f.created_at, f.score, f.lexical, f.semantic, f.context, f.boost, f.similarity
    from (
        select scopes[b.number] as namespace, ids[b.number] as id, times[b.number] as created_at, b.score, b.lexical, b.semantic, b.context, boosts[b.number] as boost,
            b.context > 0 and sessions[b.number] & 1 = 0 as is_neighbour,
            case
                when query_embedding is not null then (
                    select nullif(1 - (m.embedding <=> query_embedding), 'NaN')
                    from heirloom.memory m
                    where m.namespace = scopes[b.number] and m.id = ids[b.number]
                        and (query_model is null or coalesce(m.embedding_model, query_model) = query_model)
                )
            end as similarity
        from heirloom.recall_best(
            numbers, contexts, beyond, lexicals, semantics, boosts, times, ids, sessions, of_words, of_meaning, k
        ) b
    ) f
    -- Ranked beyond a right angle around the mean, and yet alike; what points away is no match.
    where f.lexical + f.semantic > 0 or f.is_neighbour or f.similarity > 0;
end
$body$
$ddl$, pgvector, dimension, case when iterative then 'set hnsw.iterative_scan = relaxed_order' else '' end, row_of_memory);
end
$do$;
