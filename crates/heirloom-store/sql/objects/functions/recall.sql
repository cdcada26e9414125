-- Ranks what a scope remembers against a question: words, a vector, or both. Every door recalls through it.
--
--   L = Σ w·tf'                           word_vector · heirloom.question_vector
--   S = 1 − 2·hamming / dimensions        signs of the centred vectors; the cosine while the model has no centre
--   F = 0.6·L/max L + 0.4·max(0,S)/max S  a side that is absent leaves the other alone: no vector, no word that is known,
--                                         only function words found
--   X = max(0, F − max(0.3, F of the 41st))   of the 40 best rows: how far each stands out
--   R = F + 0.7·X(previous) + 0.4·X(next) + 0.4·X(the one before that) + 0.2·X(the one after that) + boost
--
-- Neighbours are of one namespace and one session (source_run_id), in the order of (created_at, id) among the rows this
-- call may show; without a session, those at most 30 minutes apart. Rows of one time have no order and lift nobody. A
-- row that matches nothing itself comes up only as a neighbour in a session that has a name. Asked by a vector alone, every
-- row of a positive cosine is ranked: signs around a mean put half of one topic beyond a right angle from the other half.
--
-- lexical and semantic are the two terms of F, context the neighbours', boost heirloom.recall_boost; they add up to the
-- score. similarity is the cosine. Order: score, then newest, then id. `namespaces` NULL: all the caller may see.
-- k NULL: all. A quoted phrase is required if any row has it; a word after a minus never shows.
--
-- A namespace that has expired answers nothing (heirloom.open_namespaces).
--
-- Without sorting nothing is as good as memory_session, which has the order: beside a namespace that is much larger than
-- the others a plan for all expected too many rows of any, and went through every row of the store by another index.
--
-- A vector of another width than the store's, and one of zeros, are refused (22000) whatever the scope holds; so is one of
-- another width than its model's (heirloom.model_width) before it was padded: query_dimension, or what lies beyond.
--
-- It never writes and needs no search_path. Exact here; a namespace that upkeep gave indexes goes to heirloom.recall_wide.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
    dimension constant integer := (select m.dimension from heirloom.meta m);
begin
    -- A changed signature is another function, and an old one must not linger beside it.
    execute format(
        'drop function if exists heirloom.recall(text, %I.vector, text[], integer, text[], boolean, text, timestamptz)',
        pgvector
    );
    execute format(
        'drop function if exists heirloom.recall(text, %I.vector, text[], integer, text[], boolean, text, timestamptz, text, '
        'text, text[], text[], boolean)',
        pgvector
    );
    execute format($ddl$
create or replace function heirloom.recall(
    query_text text,
    query_embedding %1$I.vector,
    namespaces text[],
    k integer default 10,
    kinds text[] default null,
    include_unverified boolean default false,
    query_model text default null,
    at timestamptz default statement_timestamp(),
    role text default null,
    exclude_dag text default null,
    content_types text[] default null,
    also_states text[] default null,
    use_sessions boolean default true,
    query_dimension integer default null
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
-- Who joins the hits with their memories has ten to look up, not a table to read.
rows 10
set search_path = pg_catalog, %1$I
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $body$
#variable_conflict use_column
declare
    -- Each of its own: a field of a record is unpacked again for every row that is compared with it.
    lexemes text[];
    required tsquery;
    refused tsquery;
    weights sparsevec;
    content_words text[];
    knows_one boolean;
    signs bit(%2$s);
    dimensions double precision;
    -- The rows in their order, a number each: one array a column.
    places integer[];
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
    odd record;
begin
    if k < 0 then
        raise exception 'k must not be negative: found %%, accepted are 0, a positive number, and NULL for all', k
            using errcode = '2201W';
    end if;
    if vector_dims(query_embedding) <> %2$s then
        raise exception 'query_embedding has %% dimensions: accepted are the %2$s of this store, and NULL to ask by text',
            vector_dims(query_embedding)
            using errcode = 'data_exception';
    end if;
    if vector_norm(query_embedding) = 0 then
        raise exception 'query_embedding is a zero vector, which points nowhere: accepted are the vector of a model, and NULL to ask by text'
            using errcode = 'data_exception';
    end if;
    if namespaces is null then
        namespaces := heirloom.namespaces_in_sight();
    end if;
    namespaces := heirloom.open_namespaces(namespaces, at);
    if query_embedding is not null and query_model is not null then
        select w.namespace, w.dimension into odd
        from unnest(namespaces) n(name)
        join heirloom.model_width w on w.namespace = n.name and w.model = query_model
        where w.dimension <> query_dimension
            or (
                w.dimension < %2$s
                and vector_norm(subvector(query_embedding, w.dimension + 1, %2$s - w.dimension)) > 0
            )
        limit 1;
        if found then
            perform heirloom.refuse_width(
                'query_embedding',
                coalesce(
                    query_dimension,
                    (
                        select max(x.at)::integer
                        from unnest(query_embedding::real[]) with ordinality x(value, at)
                        where x.value <> 0
                    )
                ),
                query_model, odd.namespace, odd.dimension
            );
        end if;
    end if;
    select t.lexemes, t.required, t.refused into lexemes, required, refused from heirloom.recall_terms(query_text) t;
    select v.weights, v.content_words, v.knows_one
    into weights, content_words, knows_one
    from heirloom.question_vector(lexemes, namespaces) v;
    if query_embedding is not null then
        select binary_quantize(query_embedding - c.centre), c.dimension
        into signs, dimensions
        from heirloom.recall_centre(query_model) c;
    end if;
    if weights is null and query_embedding is null then
        return;
    end if;

    if required is not null and not exists (
        select
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where m.content_tsv @@ required
            and heirloom.is_recallable(
                m, at, include_unverified, kinds, recall.role, exclude_dag, content_types, also_states
            )
    ) then
        required := null;
    end if;

    if exists (select from heirloom.frequency f where f.namespace = any (namespaces) and f.is_indexed) then
        return query
        select w.*
        from heirloom.recall_wide(
            required, refused, lexemes, weights, content_words, knows_one,
            query_embedding, signs, dimensions, query_model, namespaces, k, kinds, include_unverified, at, role,
            exclude_dag, content_types, also_states, use_sessions
        ) w;
        return;
    end if;

    -- One pass along memory_session. The number of a session carries its namespace; its lowest bit says that there is none.
    select array_agg(s.place) filter (where cardinality(namespaces) > 1), array_agg(s.id), array_agg(s.created_at), array_agg(s.session),
        array_agg(s.l) filter (where weights is not null), array_agg(s.s) filter (where query_embedding is not null),
        array_agg(s.boost), nullif(max(s.l), 0), nullif(greatest(max(s.s), 0), 0), count(*)
    into places, ids, times, sessions, lexicals, semantics, boosts, best_lexical, best_semantic, last
    from (
        select u.name, u.place::integer, hashtext(u.name) as seed, hashtextextended(u.name, 0) | 1 as no_session
        from unnest(namespaces) with ordinality u(name, place)
        offset 0
    ) n
    cross join lateral (
        select n.place, m.id, m.created_at,
            case
                when m.source_run_id is null then n.no_session
                else hashtextextended(m.source_run_id, n.seed) & -2
            end as session,
            -(coalesce(m.word_vector, m.word_vector_long) <#> weights) as l,
            case
                when query_embedding is null
                    or (query_model is not null and m.embedding_model <> query_model) then null
                when signs is not null and m.sign_bits is not null then 1 - 2 * (m.sign_bits <~> signs) / dimensions
                else nullif(1 - (m.embedding <=> query_embedding), 'NaN')
            end as s,
            heirloom.recall_boost(m.pin, m.importance, m.state) as boost
        from heirloom.memory m
        where m.namespace = n.name
            and heirloom.is_recallable(
                m, at, include_unverified, kinds, recall.role, exclude_dag, content_types, also_states
            )
            and (required is null or m.content_tsv @@ required)
            and (refused is null or not m.content_tsv @@ refused)
        order by m.source_run_id, m.created_at, m.id
    ) s;
    if last = 0 then
        return;
    end if;
    select t.of_words, t.of_meaning, t.numbers, t.lifts, t.beyond
    into of_words, of_meaning, numbers, lifts, beyond
    from heirloom.recall_top(
        lexicals, semantics, best_lexical, best_semantic, knows_one, content_words, namespaces
    ) t;

    select array_agg(c.number), array_agg(c.context)
    into numbers, contexts
    from (
        select u.number, sum(u.context) as context
        from (
            select unnest(numbers) as number, 0::double precision as context
            union all
            select a.number + d.step, d.weight * a.lift
            from unnest(numbers, lifts) a(number, lift)
            cross join (values (1, 1, 0.7::double precision), (2, 1, 0.4), (-1, -1, 0.4), (-2, -1, 0.2)) d(step, half, weight)
            where use_sessions
                and a.lift > 0
                and a.number + d.step between 1 and last
                and sessions[a.number + d.step] = sessions[a.number]
                and times[a.number + d.half] <> times[a.number]
                and (d.step = d.half or times[a.number + d.step] <> times[a.number + d.half])
                and (
                    sessions[a.number] & 1 = 0
                    or (
                        abs(extract(epoch from times[a.number + d.half] - times[a.number])) <= 1800
                        and abs(extract(epoch from times[a.number + d.step] - times[a.number + d.half])) <= 1800
                    )
                )
        ) u
        group by u.number
    ) c;

    return query
    select f.namespace, f.id, f.created_at, f.score, f.lexical, f.semantic, f.context, f.boost, f.similarity
    from (
        select namespaces[coalesce(places[b.number], 1)] as namespace, ids[b.number] as id, times[b.number] as created_at, b.score, b.lexical, b.semantic, b.context,
            boosts[b.number] as boost,
            b.context > 0 and sessions[b.number] & 1 = 0 as is_neighbour,
            case
                when query_embedding is not null then (
                    select nullif(1 - (m.embedding <=> query_embedding), 'NaN')
                    from heirloom.memory m
                    where m.namespace = namespaces[coalesce(places[b.number], 1)] and m.id = ids[b.number]
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
$ddl$, pgvector, dimension);
end
$do$;
