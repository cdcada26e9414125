-- What happened to an entity, and when. Events are only ever added. It is valid from when it occurred.

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
create or replace function pgmnemo.remember_event(
    p_role text,
    p_entity_key text,
    p_event_label text,
    p_event_body text,
    p_occurred_at timestamptz default now(),
    p_confidence real default 0.8,
    p_embedding %1$I.vector default null,
    p_source_type text default null,
    p_project_id integer default null,
    p_commit_sha text default null,
    p_artifact_hash text default null
) returns bigint
language plpgsql
set search_path = pg_catalog, %1$I
as $body$
declare
    subject constant text :=
        pgmnemo.entity_key('remember_event', 'entity_key', p_entity_key) || ':event:' || p_event_label;
    source constant text := coalesce(p_source_type, 'agent_authored');
    begins constant text := pgmnemo.remembered_state(
        source, coalesce(p_confidence, 0.8), false
    );
    lesson bigint;
begin
    if coalesce(btrim(p_event_label), '') = '' or coalesce(btrim(p_event_body), '') = '' then
        raise exception 'pgmnemo.remember_event: label and body must not be NULL or empty';
    end if;
    insert into pgmnemo.agent_lesson (
        role, project_id, topic, lesson_text, embedding, commit_sha, artifact_hash, metadata, source_type, content_type,
        state, confidence, verified_at, t_valid_from
    )
    values (
        p_role, p_project_id, subject, p_event_body, p_embedding, p_commit_sha,
        -- With the body: another event of the same time is no version of this one.
        coalesce(p_artifact_hash, 'event-' || subject || '-' || coalesce(p_occurred_at, now()) || '-' || md5(p_event_body)),
        jsonb_build_object('entity_key', p_entity_key, 'event_label', p_event_label, 'occurred_at', coalesce(p_occurred_at, now())),
        source, 'event', begins, coalesce(p_confidence, 0.8), case when begins = 'validated' then now() end,
        coalesce(p_occurred_at, now())
    )
    returning id into lesson;
    return lesson;
end
$body$
$ddl$, pgvector);
end
$do$;
