-- pgmnemo.recall_lessons over all roles of a project, by a vector.

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
create or replace function pgmnemo.recall_lessons_pooled(
    query_embedding %1$I.vector,
    k integer default 10,
    app_id integer default null,
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
    return query
    select r.lesson_id, r.score, r.role, r.project_id, r.topic, r.lesson_text, r.importance, r.metadata, r.commit_sha,
        r.artifact_hash, r.verified_at, r.created_at
    from pgmnemo.recall_lessons(query_embedding, k, null, app_id, p_min_score => p_min_score) r;
end
$body$
$ddl$, pgvector);
end
$do$;
