-- What the recall functions of this door share: heirloom.recall over lessons, their columns, and the notices.
--
--   score             heirloom.recall's own, in its order, unless the caller asks for another weighing: other weights
--                     than 0.4 and 0.4 weigh the parts anew, a recency weight adds its share (falling to nothing over
--                     90 days), p_pure_cosine leaves the cosine alone
--   vec_score         the cosine, NULL where question or lesson has no vector
--   bm25_score        what the words contributed
--   rrf_score         words, vector and neighbours together, without boosts. No ranks are fused
--   match_confidence  the cosine, never below 0; where there is none, the share of the best hit. p_min_score goes by it
--
-- It never writes, and looking back (p_as_of) ends with the call.

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
create or replace function pgmnemo.recalled(
    p_embedding %1$I.vector,
    p_text text,
    p_k integer,
    p_role text,
    p_project_id integer,
    p_as_of timestamptz,
    p_exclude_dag text,
    p_content_types text[],
    p_min_score real,
    p_vec_weight double precision default 0.4,
    p_bm25_weight double precision default 0.4,
    p_recency boolean default false,
    p_pure_cosine boolean default false
) returns table (
    lesson_id bigint,
    score double precision,
    role text,
    project_id integer,
    topic text,
    lesson_text text,
    importance smallint,
    metadata jsonb,
    commit_sha text,
    artifact_hash text,
    verified_at timestamptz,
    created_at timestamptz,
    vec_score double precision,
    bm25_score double precision,
    rrf_score double precision,
    confidence real,
    match_confidence real
)
language plpgsql
stable
set search_path = pg_catalog, %1$I
as $body$
#variable_conflict use_column
declare
    dimension constant integer := (select m.dimension from heirloom.meta m);
    unverified constant boolean := heirloom.setting_flag('pgmnemo.include_unverified', false);
    at constant timestamptz := coalesce(p_as_of, heirloom.setting_time('pgmnemo.as_of_timestamp'), statement_timestamp());
    homes constant text[] := case when p_project_id is not null then array['project:' || p_project_id] end;
    question constant text := case when p_bm25_weight > 0 or p_embedding is null then nullif(btrim(p_text), '') end;
    vector_asked constant %1$I.vector := case when p_vec_weight > 0 or question is null then p_embedding end;
    recency double precision := 0;
    weighed_anew boolean;
    pool integer;
    shown bigint;
    ghosts bigint;
begin
    if p_k < 0 then
        raise exception 'k is %%: LIMIT must not be negative; it takes 0 or more, or NULL for all', p_k
            using errcode = 'invalid_row_count_in_limit_clause';
    end if;
    if p_vec_weight is null or p_bm25_weight is null or not p_vec_weight >= 0 or not p_bm25_weight >= 0
        or p_vec_weight > 1000 or p_bm25_weight > 1000
    then
        raise exception 'vec_weight and bm25_weight are %% and %%: each takes 0 or more', p_vec_weight, p_bm25_weight
            using errcode = 'invalid_parameter_value';
    end if;
    if p_embedding is not null and vector_dims(p_embedding) <> dimension then
        raise exception 'different vector dimensions: this store has %%, query_embedding has %%', dimension,
            vector_dims(p_embedding)
            using errcode = 'data_exception';
    end if;
    if p_embedding is not null and vector_norm(p_embedding) = 0 then
        raise exception 'query_embedding is a zero vector, which points nowhere: give the vector of a model, or NULL to ask by text'
            using errcode = 'data_exception';
    end if;
    if question is null and vector_asked is null then
        raise notice 'pgmnemo: neither query_embedding nor query_text was given; there is nothing to look for';
        return;
    end if;
    -- Not where there is one and its weight is 0: that was asked for.
    if p_embedding is null then
        raise notice 'pgmnemo: query_embedding IS NULL -- falling back to text-only recall; no semantic similarity';
    end if;

    if p_recency then
        -- Either setting turns recency on; unset, the order is that of heirloom.recall.
        recency := coalesce(
                heirloom.setting_number('pgmnemo.recency_weight', null, 0, 20),
                case when coalesce(btrim(current_setting('pgmnemo.temporal_boost', true)), '') <> '' then 0.05 else 0 end
            ) * pgmnemo.get_temporal_boost();
    end if;
    weighed_anew := recency > 0 or p_pure_cosine or (p_vec_weight, p_bm25_weight) is distinct from (0.4, 0.4);
    pool := case
        when p_min_score is not null or p_k is null then null
        when weighed_anew then least(greatest(p_k::bigint * 10, 200), 2147483647)::integer
        -- This door shows what matches by itself; recall may put a neighbour of it in between.
        else least(p_k::bigint * 4 + 40, 2147483647)::integer
    end;

    return query
    select m.lesson_id, s.score, m.role, m.project_number, m.topic, m.content, m.importance, m.metadata, m.commit_sha,
        m.artifact_hash, m.verified_at, m.created_at, r.similarity, r.lexical,
        r.lexical + r.semantic + r.context,
        m.confidence,
        s.match::real
    from heirloom.recall(
        question, vector_asked, homes, pool, array['lesson'], unverified, null, at, p_role, p_exclude_dag, p_content_types,
        use_sessions => not p_pure_cosine
    ) r
    join heirloom.memory m on m.namespace = r.namespace and m.id = r.id
    cross join lateral (
        select
            case
                when p_pure_cosine then r.similarity
                when not weighed_anew then r.score
                else (r.lexical * p_bm25_weight + r.semantic * p_vec_weight) / 0.4 + r.context + r.boost
                    + recency * greatest(0, 1 - extract(epoch from now() - m.created_at) / 7776000)::double precision
            end as score,
            least(greatest(coalesce(r.similarity, r.lexical + r.semantic + r.context), 0), 1) as match
    ) s
    where (p_min_score is null or s.match >= p_min_score)
        and (not p_pure_cosine or r.similarity is not null)
        and (r.lexical + r.semantic > 0 or (question is null and r.similarity > 0))
    order by s.score desc, m.created_at desc nulls last, m.id
    limit p_k;
    get diagnostics shown = row_count;

    if shown = 0 and p_k is distinct from 0 and not unverified and p_min_score is null then
        ghosts := heirloom.recall_ghosts(
            question, vector_asked, homes, array['lesson'], null, at, p_role, p_exclude_dag, p_content_types
        );
        if ghosts > 0 then
            raise notice 'pgmnemo: %% matching lesson(s) are unverified (verified_at IS NULL) and excluded by default. SET pgmnemo.include_unverified = ''on'' to see them.',
                ghosts;
        end if;
    end if;
end
$body$
$ddl$, pgvector);
end
$do$;
