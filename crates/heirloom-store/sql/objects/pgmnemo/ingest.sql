-- One lesson from a live agent, by pgmnemo.ingested. Returns its id.
--
-- A single expression without settings, so that the planner puts it into the statement of whoever asks: only there
-- heirloom.ingest_first can tell that statement from another. Where it does not, each call counts as a statement.

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
create or replace function pgmnemo.ingest(
    p_role text,
    p_project_id integer,
    p_topic text,
    p_lesson_text text,
    p_importance integer default 3,
    p_embedding %1$I.vector default null,
    p_commit_sha text default null,
    p_artifact_hash text default null,
    p_metadata jsonb default '{}',
    p_content_type text default null
) returns bigint
language sql
return pgmnemo.ingested(
    heirloom.ingest_first(), p_role, p_project_id, p_topic, p_lesson_text, p_importance, p_embedding, p_commit_sha,
    p_artifact_hash, p_metadata, p_content_type, null, null
)
$ddl$, pgvector);
    -- A changed signature is another function, and the old one must not linger beside it. Only here nobody needs it.
    execute format(
        'drop function if exists pgmnemo.ingested(bigint, text, integer, text, text, integer, %I.vector, text, text, jsonb, text)',
        pgvector
    );
end
$do$;
