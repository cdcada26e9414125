-- Recall by words, by a vector, or by both. pgmnemo.disable_hybrid = on: where a vector is given, it alone ranks.
-- pgmnemo.recency_weight and pgmnemo.temporal_boost count where only one of the two is asked.

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
create or replace function pgmnemo.recall_lessons(
    query_embedding %1$I.vector,
    k integer default 10,
    role_filter text default null,
    project_id_filter integer default null,
    query_text text default null,
    as_of_ts timestamptz default null,
    exclude_dag_id text default null,
    p_content_types text[] default null,
    p_min_score real default null
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
#variable_conflict use_variable
declare
    alone constant boolean := heirloom.setting_flag('pgmnemo.disable_hybrid', false) and query_embedding is not null;
    asked constant text := case when not alone then nullif(btrim(query_text), '') end;
begin
    return query
    select r.*
    from pgmnemo.recalled(
        query_embedding, asked, k, role_filter, project_id_filter, as_of_ts, exclude_dag_id,
        p_content_types, p_min_score, p_recency => query_embedding is null or asked is null
    ) r;
end
$body$
$ddl$, pgvector);
end
$do$;
