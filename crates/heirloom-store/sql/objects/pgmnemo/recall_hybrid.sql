-- Recall by words and vector with a weight for each; equal weights rank as heirloom.recall does. rrf_k is accepted and
-- without effect: ranks are not fused. retrieval_source is always ann: nothing is added that does not match.

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
create or replace function pgmnemo.recall_hybrid(
    query_embedding %1$I.vector,
    query_text text,
    k integer default 10,
    role_filter text default null,
    project_id_filter integer default null,
    vec_weight double precision default 0.4,
    bm25_weight double precision default 0.4,
    rrf_k integer default 60,
    exclude_dag_id text default null,
    p_content_types text[] default null,
    p_min_score real default null
) returns table (
    lesson_id bigint,
    score double precision,
    vec_score double precision,
    bm25_score double precision,
    rrf_score double precision,
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
    confidence real,
    match_confidence real,
    retrieval_source text
)
language plpgsql
stable
set search_path = pg_catalog, %1$I
as $body$
#variable_conflict use_variable
begin
    if query_embedding is null and nullif(btrim(query_text), '') is null then
        raise exception 'pgmnemo.recall_hybrid: query_embedding and query_text are both NULL or empty; give at least one';
    end if;
    return query
    select r.lesson_id, r.score, r.vec_score, r.bm25_score, r.rrf_score, r.role, r.project_id, r.topic, r.lesson_text,
        r.importance, r.metadata, r.commit_sha, r.artifact_hash, r.verified_at, r.created_at, r.confidence,
        r.match_confidence, 'ann'::text
    from pgmnemo.recalled(
        query_embedding, query_text, k, role_filter, project_id_filter, null, exclude_dag_id,
        p_content_types, p_min_score, vec_weight, bm25_weight
    ) r;
end
$body$
$ddl$, pgvector);
end
$do$;
