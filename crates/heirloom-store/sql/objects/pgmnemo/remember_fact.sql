-- What is known of an entity: one value a property. The same value again raises confidence and returns the row that
-- says so; another value closes the earlier one, unless that is verified and the new one is not: then both stand. The
-- artifact, where none is given, is the property itself. What was rejected or retired says nothing: the same value is
-- remembered anew, and the earlier keeps its state. A fact belongs to its project; NULL is a project of its own.

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
create or replace function pgmnemo.remember_fact(
    p_role text,
    p_entity_key text,
    p_property text,
    p_value text,
    p_confidence real default 0.7,
    p_has_contact_pii boolean default null,
    p_embedding %1$I.vector default null,
    p_source_type text default null,
    p_project_id integer default null,
    p_commit_sha text default null,
    p_artifact_hash text default null
) returns table (id bigint, final_state text)
language plpgsql
set search_path = pg_catalog, %1$I
as $body$
#variable_conflict use_column
declare
    subject constant text := pgmnemo.entity_key('remember_fact', 'entity_key', p_entity_key) || ':' || p_property;
    home constant text := coalesce('project:' || p_project_id, 'custom:unassigned');
    source constant text := coalesce(p_source_type, 'agent_authored');
    begins constant text := pgmnemo.remembered_state(
        source, coalesce(p_confidence, 0.7),
        coalesce(
            p_has_contact_pii,
            p_property in ('email', 'phone', 'address', 'telegram', 'full_name') and p_entity_key like 'person:%%'
        )
    );
    prior record;
    is_retired boolean;
    version integer := 1;
    lesson bigint;
begin
    if coalesce(btrim(p_property), '') = '' or coalesce(btrim(p_value), '') = '' then
        raise exception 'pgmnemo.remember_fact: property and value must not be NULL or empty';
    end if;
    -- Two writers of one property wait for each other.
    perform pg_advisory_xact_lock(hashtextextended(home || chr(31) || lower(subject), 0));
    for prior in
        select m.lesson_id, m.namespace, m.id, m.content, m.state, m.version_n, m.verified_at,
            coalesce(m.expires_at <= now(), false) as is_expired
        from heirloom.memory m
        where m.namespace = home
            and m.kind = 'lesson'
            and m.content_type = 'fact'
            and lower(m.topic) = lower(subject)
            and m.is_active
            and m.t_valid_to = 'infinity'
        order by m.verified_at is null, m.lesson_id desc
        for update
    loop
        is_retired := prior.state in ('deprecated', 'superseded', 'archived', 'rejected');
        if prior.content = p_value and not is_retired and not prior.is_expired
            and (prior.verified_at is not null or begins <> 'validated')
        then
            update heirloom.memory m
            set confidence = greatest(m.confidence, coalesce(p_confidence, 0.7)), patch_count = m.patch_count + 1
            where m.namespace = prior.namespace and m.id = prior.id;
            return query select prior.lesson_id, prior.state;
            return;
        end if;
        version := greatest(version, prior.version_n + 1);
        if begins = 'validated' or prior.verified_at is null then
            perform set_config('heirloom.noted', 'on', true);
            update heirloom.memory m
            set t_valid_to = greatest(now(), m.t_valid_from),
                state = case when is_retired then m.state else 'superseded' end,
                state_changed_at = case when is_retired then m.state_changed_at else now() end
            where m.namespace = prior.namespace and m.id = prior.id;
            perform set_config('heirloom.noted', 'off', true);
            if not is_retired then
                perform heirloom.note_transition(
                    prior.namespace, prior.id, prior.state, 'superseded', null, 'another value was remembered'
                );
            end if;
        end if;
    end loop;

    insert into pgmnemo.agent_lesson (
        role, project_id, topic, lesson_text, embedding, commit_sha, artifact_hash, metadata, source_type, content_type,
        state, confidence, version_n, verified_at
    )
    values (
        p_role, p_project_id, subject, p_value, p_embedding, p_commit_sha,
        coalesce(p_artifact_hash, 'fact-' || subject),
        jsonb_build_object('canonical_name', p_entity_key, 'entity_key', p_entity_key, 'property', p_property),
        source, 'fact', begins, coalesce(p_confidence, 0.7), version, case when begins = 'validated' then now() end
    )
    returning agent_lesson.id into lesson;
    return query select lesson, begins;
end
$body$
$ddl$, pgvector);
end
$do$;
