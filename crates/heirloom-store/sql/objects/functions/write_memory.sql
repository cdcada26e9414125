-- One memory from one live caller, in one call: makes its namespace, looks after its id, writes it, notes the act and
-- counts words when they are stale. With the caller's own rights; row-level security judges every row.
--
-- An id that was given is held until the transaction ends (as heirloom-store's `locate::hold_id` does), because no
-- constraint spans namespaces. Without `overwrite` the same id and content again change nothing. With it the row says
-- from now on what the caller says: what it said before is kept as a revision, created_at and the state stay, what is
-- left out is reset, a vector only where it would no longer be of this text.
--
-- verified_at is now exactly when provenance is given: a lesson without is a ghost.
--
-- Refusals: HL001 the id was forgotten, HL002 it lives in another namespace, HL003 it says something else, HL004 the
-- namespace has come to its end, HL005 the state would change; 22000 (heirloom.refuse_width) a vector of another width than
-- its model's.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    -- A changed signature is another function, and an old one must not linger beside it.
    execute format(
        'drop function if exists heirloom.write_memory(boolean, text, bytea, boolean, uuid, text, text, text, text, text, '
        'text, smallint, text, text, text, text, text, text, boolean, jsonb, jsonb, %1$I.vector, text, timestamptz, '
        'timestamptz, timestamptz, text, text, timestamptz, timestamptz)',
        pgvector
    );
    execute format($ddl$
create or replace function heirloom.write_memory(
    overwrite boolean,
    in_actor text,
    in_sha256 bytea,
    id_given boolean,
    in_id uuid,
    in_namespace text,
    in_kind text,
    in_source text,
    in_role text,
    in_topic text,
    in_content text,
    in_importance smallint,
    in_state text,
    in_commit_sha text,
    in_artifact_hash text,
    in_source_run_id text,
    in_source_task_id text,
    in_source_dag_id text,
    in_pin boolean,
    in_propagation jsonb,
    in_metadata jsonb,
    in_embedding %1$I.vector,
    in_embedding_model text,
    in_embedding_dimension integer,
    in_expires_at timestamptz,
    in_valid_from timestamptz,
    in_valid_to timestamptz,
    in_content_type text,
    in_item_kind text,
    in_created_at timestamptz,
    in_updated_at timestamptz,
    out lesson_id bigint,
    out created boolean,
    out ghost boolean
)
language plpgsql
set search_path = pg_catalog, %1$I
set plan_cache_mode = force_generic_plan
as $body$
declare
    ends timestamptz;
    place text;
    old heirloom.memory;
    verified constant timestamptz := case when coalesce(in_commit_sha, in_artifact_hash) is not null then now() end;
    same_text boolean;
    width integer;
    -- What activity says beside it: that it is a summary, and the workspace that the call acts for, if it does.
    said constant jsonb := case when in_kind = 'summary' then '{"kind": "summary"}'::jsonb else '{}' end
        || case
            when current_setting('heirloom.workspace', true) <> ''
                then jsonb_build_object('workspace', current_setting('heirloom.workspace', true))
            else '{}'
        end;
begin
    ghost := in_kind = 'lesson' and verified is null;
    -- Before the id is held: a load that is making this namespace would be waited for with the id in hand.
    select n.expires_at into ends from heirloom.namespace n where n.name = in_namespace;
    if not found then
        insert into heirloom.namespace (name) values (in_namespace) on conflict (name) do nothing;
    elsif ends <= statement_timestamp() then
        raise exception 'the namespace has come to its end' using errcode = 'HL004';
    end if;

    if id_given then
        perform pg_advisory_xact_lock_shared(hashtextextended('heirloom memory ids', 0));
        perform pg_advisory_xact_lock(hashtextextended('heirloom memory ' || in_id, 0));
        place := heirloom.whereabouts(in_id, in_namespace);
        if place = 'forgotten' then
            raise exception 'the id was forgotten' using errcode = 'HL001';
        elsif place = 'elsewhere' then
            raise exception 'the id lives in another namespace' using errcode = 'HL002';
        end if;
    end if;

    if in_embedding_dimension is not null and in_embedding_model is not null then
        width := heirloom.model_width(in_namespace, in_embedding_model, in_embedding_dimension);
        if width <> in_embedding_dimension then
            perform heirloom.refuse_width('embedding', in_embedding_dimension, in_embedding_model, in_namespace, width);
        end if;
    end if;

    if place is null then
        insert into heirloom.memory as m (
            id, namespace, kind, source, role, topic, content, importance, state, commit_sha, artifact_hash,
            verified_at, source_run_id, source_task_id, source_dag_id, pin, propagation, metadata, embedding,
            embedding_model, expires_at, valid_from, valid_to, content_type, item_kind, created_at, updated_at
        )
        values (
            in_id, in_namespace, in_kind, in_source, in_role, in_topic, in_content, in_importance,
            coalesce(in_state, 'draft'), in_commit_sha, in_artifact_hash, verified, in_source_run_id,
            in_source_task_id, in_source_dag_id, in_pin, in_propagation, in_metadata, in_embedding,
            in_embedding_model, in_expires_at, coalesce(in_valid_from, least(in_created_at, now())), in_valid_to,
            in_content_type, in_item_kind, coalesce(in_created_at, now()),
            coalesce(in_updated_at, in_created_at, now())
        )
        returning m.lesson_id into lesson_id;
        created := true;
        insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256, details)
        values (coalesce(in_actor, session_user), 'remember', in_namespace, in_id, in_sha256, nullif(said, '{}'));
        perform heirloom.count_words_if_stale(in_namespace);
        return;
    end if;

    created := false;
    select m.* into old from heirloom.memory m where m.namespace = in_namespace and m.id = in_id for update;
    if not found then
        -- A statement of the SQL door, which holds no id, was waited for: it deleted the memory, or moved it.
        if heirloom.whereabouts(in_id, in_namespace) = 'elsewhere' then
            raise exception 'the id lives in another namespace' using errcode = 'HL002';
        end if;
        raise exception 'the id was forgotten' using errcode = 'HL001';
    end if;
    lesson_id := old.lesson_id;
    if not overwrite then
        if old.content <> in_content then
            raise exception 'the id says something else' using errcode = 'HL003';
        end if;
        ghost := old.kind = 'lesson' and old.verified_at is null;
        return;
    end if;

    if in_state <> old.state then
        raise exception 'the state would change' using errcode = 'HL005';
    end if;
    same_text := (old.topic, old.content) is not distinct from (in_topic, in_content);
    if same_text and in_embedding is null then
        in_embedding := old.embedding;
        in_embedding_model := old.embedding_model;
    end if;
    if (
        old.kind, old.source, old.role, old.topic, old.content, old.importance, old.commit_sha, old.artifact_hash,
        old.source_run_id, old.source_task_id, old.source_dag_id, old.pin, old.propagation, old.metadata,
        old.embedding::text, old.embedding_model, old.expires_at, old.valid_to, old.content_type, old.item_kind
    ) is not distinct from (
        in_kind, in_source, in_role, in_topic, in_content, in_importance, in_commit_sha, in_artifact_hash,
        in_source_run_id, in_source_task_id, in_source_dag_id, in_pin, in_propagation, in_metadata,
        in_embedding::text, in_embedding_model, in_expires_at, in_valid_to, in_content_type, in_item_kind
    ) and coalesce(in_valid_from = old.valid_from, true) and coalesce(in_updated_at = old.updated_at, true)
    then
        ghost := old.kind = 'lesson' and old.verified_at is null;
        return;
    end if;

    insert into heirloom.revision (namespace, memory_id, version_n, role, topic, content, metadata, actor)
    values (
        old.namespace, old.id, old.version_n, old.role, old.topic, old.content, old.metadata,
        coalesce(in_actor, session_user)
    );
    -- Provenance and times are the caller's, whatever they were.
    perform set_config('heirloom.times_given', 'on', true);
    update heirloom.memory m
    set kind = in_kind,
        source = in_source,
        role = in_role,
        topic = in_topic,
        content = in_content,
        importance = in_importance,
        commit_sha = in_commit_sha,
        artifact_hash = in_artifact_hash,
        verified_at = verified,
        source_run_id = in_source_run_id,
        source_task_id = in_source_task_id,
        source_dag_id = in_source_dag_id,
        pin = in_pin,
        propagation = in_propagation,
        metadata = in_metadata,
        embedding = in_embedding,
        embedding_model = in_embedding_model,
        expires_at = in_expires_at,
        valid_from = coalesce(in_valid_from, old.valid_from),
        valid_to = in_valid_to,
        content_type = in_content_type,
        item_kind = in_item_kind,
        updated_at = coalesce(in_updated_at, now()),
        version_n = old.version_n + 1,
        patch_count = old.patch_count + 1
    where m.namespace = in_namespace and m.id = in_id;
    perform set_config('heirloom.times_given', 'off', true);
    insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256, details)
    values (
        coalesce(in_actor, session_user), 'revise', in_namespace, in_id, in_sha256,
        said || jsonb_build_object('version', old.version_n + 1, 'overwritten', true)
    );
end
$body$
$ddl$, pgvector);
end
$do$;
