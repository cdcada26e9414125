-- Ranks what a scope remembers against a question: words, a vector, or both. Every door recalls through it.
--
--   L(d) = Σ w(t)·tf·1.9 / (tf + 0.9·(0.6 + 0.4·len/40))     over the distinct lexemes t of the question that d holds
--   w(t) = ln(1 + (N − df + 0.5)/(df + 0.5)), a function word 0.15 of it      N and df of the row's own namespace
--   S(d) = cosine of the vectors, never below 0
--   score = 0.6·L/max L + 0.4·S/max S + boost                a side that is absent leaves the whole weight to the other
--
-- lexical, semantic, context and boost are what each contributed: they add up to the score. context is 0 until
-- neighbours count. boost is bounded to −0.04 … 0.07: pin 0.03, importance 0.01 a step from 3, state canonical 0.02,
-- validated 0.01, conflicted −0.02. similarity is the bare cosine. Order: score, then newest, then id.
--
-- Never shown: what another namespace holds, what expired (from that very instant, whatever `at` says), what is not
-- yet or no longer valid at `at`, what is inactive, deprecated, superseded, archived or rejected, and ghosts (lessons
-- never verified) unless include_unverified. heirloom.recall_ghosts counts those that were left out.
--
-- It never writes, needs no search_path, and k NULL means all. pgvector may live in any schema, hence the format().

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    execute format($ddl$
create or replace function heirloom.recall(
    query_text text,
    query_embedding %1$I.vector,
    namespaces text[],
    k integer default 10,
    kinds text[] default null,
    include_unverified boolean default false,
    query_model text default null,
    at timestamptz default statement_timestamp()
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
as $body$
#variable_conflict use_column
declare
    terms record;
    function_words constant text[] := heirloom.function_words();
    -- Without a list of function words, what is common counts for less all the same.
    sharpness constant double precision := case when cardinality(function_words) = 0 then 1.3 else 1 end;
begin
    select * into terms from heirloom.recall_terms(recall.query_text);

    return query
    with visible as materialized (
        select m.namespace, m.id, m.created_at, m.pin, m.importance, m.state, m.topic, m.content, m.content_tsv,
            m.embedding, m.embedding_model
        from heirloom.memory m
        where m.namespace = any (recall.namespaces)
            and m.is_active
            and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
            and (m.expires_at is null or m.expires_at > greatest(recall.at, statement_timestamp()))
            and coalesce(m.valid_from, m.created_at, '-infinity') <= recall.at
            and (m.valid_to is null or m.valid_to > recall.at)
            and (m.kind <> 'lesson' or m.verified_at is not null or recall.include_unverified)
            and (recall.kinds is null or m.kind = any (recall.kinds))
    ),
    posting as (
        select v.namespace, v.id, t.lexeme as term, cardinality(t.positions) as tf, length(v.content_tsv) as len
        from visible v, unnest(v.content_tsv) t
        where v.content_tsv @@ terms.any_lexeme and t.lexeme = any (terms.lexemes)
        union all
        select v.namespace, v.id, g.gram, 1, length(v.content_tsv)
        from visible v, unnest(terms.grams) g(gram)
        where cardinality(terms.grams) > 0
            and (strpos(v.content, g.gram) > 0 or strpos(coalesce(v.topic, ''), g.gram) > 0)
    ),
    weight as (
        select f.namespace, f.term, f.term = any (function_words) as is_function_word,
            power(ln(1 + (n.rows - f.df + 0.5) / (f.df + 0.5)), sharpness)
                * case when f.term = any (function_words) then 0.15 else 1 end as w
        from (select p.namespace, p.term, count(*) as df from posting p group by p.namespace, p.term) f
        join (select v.namespace, count(*) as rows from visible v group by v.namespace) n on n.namespace = f.namespace
    ),
    words as (
        select p.namespace, p.id,
            sum(w.w * p.tf * 1.9 / (p.tf + 0.9 * (0.6 + 0.4 * p.len / 40.0))) as l,
            bool_or(not w.is_function_word) as says_something
        from posting p
        join weight w on w.namespace = p.namespace and w.term = p.term
        group by p.namespace, p.id
    ),
    side as (
        select v.namespace, v.id, v.created_at, v.pin, v.importance, v.state,
            coalesce(w.l, 0)::double precision as l,
            coalesce(w.says_something, false) as says_something,
            c.cosine
        from visible v
        left join words w on w.namespace = v.namespace and w.id = v.id
        cross join lateral (
            -- Vectors of two models have nothing to say to each other; one without a direction has no cosine.
            select case
                when recall.query_model is null or v.embedding_model is null or v.embedding_model = recall.query_model
                    then nullif(1 - (v.embedding <=> recall.query_embedding), 'NaN')
            end as cosine
        ) c
        where w.id is not null or c.cosine > 0
    ),
    best as (
        select max(s.l) as l, max(s.cosine) as cosine,
            case
                when not coalesce(max(s.cosine) > 0, false) then 1
                when not bool_or(s.says_something) then 0
                else 0.6
            end as words_count_for
        from side s
    ),
    part as (
        select s.namespace, s.id, s.created_at, s.cosine,
            round((b.words_count_for * s.l / nullif(b.l, 0))::numeric, 9)::double precision as lexical,
            round(((1 - b.words_count_for) * greatest(coalesce(s.cosine, 0), 0) / nullif(greatest(b.cosine, 0), 0))::numeric, 9)
                ::double precision as semantic,
            (case when s.pin then 0.03 else 0 end + (s.importance - 3) * 0.01
                + case s.state when 'canonical' then 0.02 when 'validated' then 0.01 when 'conflicted' then -0.02 else 0 end
            )::double precision as boost
        from side s, best b
    )
    -- Rounded to nine digits, so that equal rows are equal however their sums were added up.
    select p.namespace, p.id, p.created_at,
        round((coalesce(p.lexical, 0) + coalesce(p.semantic, 0) + p.boost)::numeric, 9)::double precision as score,
        coalesce(p.lexical, 0), coalesce(p.semantic, 0), 0::double precision, p.boost, p.cosine
    from part p
    where coalesce(p.lexical, 0) + coalesce(p.semantic, 0) > 0
    order by score desc, p.created_at desc nulls last, p.id
    limit recall.k;
end
$body$
$ddl$, pgvector);
end
$do$;
