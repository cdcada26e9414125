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
-- row that matches nothing itself comes up only as a neighbour in a session that has a name.
--
-- lexical and semantic are the two terms of F, context the neighbours', boost heirloom.recall_boost; they add up to the
-- score. similarity is the cosine. Order: score, then newest, then id. `namespaces` NULL: all the caller may see.
-- k NULL: all. A quoted phrase is required if any row has it; a word after a minus never shows.
--
-- A namespace that has expired answers nothing (heirloom.open_namespaces).
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
    use_sessions boolean default true
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
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
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
    names text[];
    ids uuid[];
    times timestamptz[];
    sessions bigint[];
    lexicals double precision[];
    semantics double precision[];
    boosts double precision[];
    contexts double precision[];
    best_lexical double precision;
    best_semantic double precision;
    words_count_for double precision;
    last integer;
    lifted record;
begin
    if k < 0 then
        raise exception 'k must not be negative: found %%, accepted are 0, a positive number, and NULL for all', k
            using errcode = '2201W';
    end if;
    if namespaces is null then
        namespaces := heirloom.namespaces_in_sight();
    end if;
    namespaces := heirloom.open_namespaces(namespaces, at);
    select t.lexemes, t.required, t.refused into lexemes, required, refused from heirloom.recall_terms(query_text) t;
    select v.weights, v.content_words, v.knows_one
    into weights, content_words, knows_one
    from heirloom.question_vector(lexemes, namespaces) v;
    if vector_norm(query_embedding) > 0 then
        select binary_quantize(query_embedding - c.centre), c.dimension
        into signs, dimensions
        from heirloom.recall_centre(query_model) c;
    else
        query_embedding := null;
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
    select array_agg(s.namespace), array_agg(s.id), array_agg(s.created_at), array_agg(s.session), array_agg(s.l),
        array_agg(s.s), array_agg(s.boost), nullif(max(s.l), 0), nullif(greatest(max(s.s), 0), 0), count(*)
    into names, ids, times, sessions, lexicals, semantics, boosts, best_lexical, best_semantic, last
    from (
        select u.name, hashtext(u.name) as seed, hashtextextended(u.name, 0) | 1 as no_session
        from unnest(namespaces) u(name)
        offset 0
    ) n
    cross join lateral (
        select m.namespace, m.id, m.created_at,
            case
                when m.source_run_id is null then n.no_session
                else hashtextextended(m.source_run_id, n.seed) & -2
            end as session,
            greatest(-(coalesce(m.word_vector, m.word_vector_long) <#> weights), 0) as l,
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
    if ids is null then
        return;
    end if;

    words_count_for := case
        when best_semantic is null then 1
        when best_lexical is null then 0
        when knows_one or heirloom.says_something(content_words, namespaces) then 0.6
        else 0
    end;
    contexts := array_fill(0::double precision, array[last]);
    if use_sessions then
        for lifted in
            select a.at + d.step as at, sum(d.weight * a.x) as context
            from (
                select b.at,
                    b.f - greatest(0.3, nth_value(b.f, 41) over (rows between unbounded preceding and unbounded following)) as x
                from (
                    select f.at::integer as at,
                        coalesce(words_count_for * f.l / best_lexical, 0)
                        + coalesce((1 - words_count_for) * greatest(f.s, 0) / best_semantic, 0) as f
                    from unnest(lexicals, semantics) with ordinality f(l, s, at)
                    order by f desc, at
                    limit 41
                ) b
            ) a
            cross join (values (1, 0.7), (2, 0.4), (-1, 0.4), (-2, 0.2)) d(step, weight)
            where a.x > 0
                and a.at + d.step between 1 and last
                and sessions[a.at + d.step] = sessions[a.at]
                and times[a.at + d.step / abs(d.step)] <> times[a.at]
                and (abs(d.step) = 1 or times[a.at + d.step] <> times[a.at + d.step / 2])
                and (
                    sessions[a.at] & 1 = 0
                    or (
                        abs(extract(epoch from times[a.at + d.step / abs(d.step)] - times[a.at])) <= 1800
                        and abs(extract(epoch from times[a.at + d.step] - times[a.at + d.step / abs(d.step)])) <= 1800
                    )
                )
            group by 1
        loop
            contexts[lifted.at] := lifted.context;
        end loop;
    end if;

    -- Rounded to nine digits, so that equal rows are equal however their sums were added up.
    return query
    select names[r.at], ids[r.at], times[r.at], r.score, r.lexical, r.semantic, r.context, r.boost,
        case
            when query_embedding is not null then (
                select nullif(1 - (m.embedding <=> query_embedding), 'NaN')
                from heirloom.memory m
                where m.namespace = names[r.at] and m.id = ids[r.at]
                    and (query_model is null or coalesce(m.embedding_model, query_model) = query_model)
            )
        end
    from (
        select f.at, f.boost, f.context, l.lexical, l.semantic,
            round((l.lexical + l.semantic + f.context + f.boost) * 1e9) / 1e9 as score
        from unnest(lexicals, semantics, contexts, boosts) with ordinality f(l, s, context, boost, at)
        cross join lateral (
            select coalesce(words_count_for * f.l / best_lexical, 0) as lexical,
                coalesce((1 - words_count_for) * greatest(f.s, 0) / best_semantic, 0) as semantic
        ) l
        where l.lexical + l.semantic > 0 or (f.context > 0 and sessions[f.at] & 1 = 0)
        order by score desc, times[f.at] desc nulls last, ids[f.at]
        limit k
    ) r
    order by r.score desc, times[r.at] desc nulls last, ids[r.at];
end
$body$
$ddl$, pgvector, dimension);
end
$do$;
