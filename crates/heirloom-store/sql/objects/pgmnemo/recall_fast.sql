-- Recall by a vector alone; score is the cosine. Unlike pgmnemo's it stamps nothing: pgmnemo.mark_recalled does.

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
create or replace function pgmnemo.recall_fast(
    query_embedding %1$I.vector,
    k integer default 10,
    role_filter text default null,
    project_id_filter integer default null,
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
    created_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, %1$I
as $body$
#variable_conflict use_variable
begin
    if query_embedding is null then
        raise exception 'pgmnemo.recall_fast: query_embedding IS NULL -- a vector is needed; recall_lessons and recall_hybrid ask by text';
    end if;
    return query
    select r.lesson_id, r.score, r.role, r.project_id, r.topic, r.lesson_text, r.importance, r.metadata, r.commit_sha,
        r.artifact_hash, r.verified_at, r.created_at
    from pgmnemo.recalled(
        query_embedding, null, k, role_filter, project_id_filter, null, exclude_dag_id, p_content_types,
        p_min_score, p_pure_cosine => true
    ) r;
end
$body$
$ddl$, pgvector);
end
$do$;
