-- That one entity stands in a relation to another. The same three again raise confidence and return the row that says
-- so. Where both entities have a lesson of their own (content_type entity), a link joins those.

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
create or replace function pgmnemo.remember_relation(
    p_role text,
    p_from_key text,
    p_to_key text,
    p_relation_type text,
    p_confidence real default 0.7,
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
    subject constant text := pgmnemo.entity_key('remember_relation', 'from_key', p_from_key) || ':' || p_relation_type
        || ':' || pgmnemo.entity_key('remember_relation', 'to_key', p_to_key);
    home constant text := coalesce('project:' || p_project_id, 'custom:unassigned');
    source constant text := coalesce(p_source_type, 'agent_authored');
    begins constant text := pgmnemo.remembered_state(
        source, coalesce(p_confidence, 0.7), false
    );
    lesson bigint;
    from_hub bigint;
    to_hub bigint;
begin
    if coalesce(btrim(p_relation_type), '') = '' then
        raise exception 'pgmnemo.remember_relation: relation_type must not be NULL or empty';
    end if;
    perform pg_advisory_xact_lock(hashtextextended(home || chr(31) || lower(subject), 0));
    update heirloom.memory m
    set confidence = greatest(m.confidence, coalesce(p_confidence, 0.7)), patch_count = m.patch_count + 1
    where m.namespace = home
        and m.kind = 'lesson'
        and m.content_type = 'relation'
        and lower(m.topic) = lower(subject)
        and m.is_active
        and m.t_valid_to = 'infinity'
        and (m.verified_at is not null or begins <> 'validated')
        -- What was rejected or retired says nothing.
        and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
        and (m.expires_at is null or m.expires_at > now())
    returning m.lesson_id into lesson;
    if lesson is null then
        insert into pgmnemo.agent_lesson (
            role, project_id, topic, lesson_text, embedding, commit_sha, artifact_hash, metadata, source_type,
            content_type, state, confidence, verified_at
        )
        values (
            p_role, p_project_id, subject, p_from_key || ' ' || p_relation_type || ' ' || p_to_key, p_embedding,
            p_commit_sha, coalesce(p_artifact_hash, 'relation-' || subject),
            jsonb_build_object('from_key', p_from_key, 'to_key', p_to_key, 'relation_type', p_relation_type),
            source, 'relation', begins, coalesce(p_confidence, 0.7), case when begins = 'validated' then now() end
        )
        returning id into lesson;
    end if;

    select
        min(m.lesson_id) filter (where lower(m.metadata ->> 'canonical_name') = p_from_key),
        min(m.lesson_id) filter (where lower(m.metadata ->> 'canonical_name') = p_to_key)
    into from_hub, to_hub
    from heirloom.memory m
    where m.namespace = home
        and m.kind = 'lesson'
        and m.content_type = 'entity'
        and m.is_active
        and m.t_valid_to = 'infinity';
    if from_hub is not null and to_hub is not null and from_hub <> to_hub then
        perform pgmnemo.add_edge(from_hub, to_hub, p_relation_type, p_confidence, '{}', 'max');
    end if;
    return lesson;
end
$body$
$ddl$, pgvector);
end
$do$;
