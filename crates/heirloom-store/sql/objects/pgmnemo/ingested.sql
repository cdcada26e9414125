-- What pgmnemo.ingest does. One lesson from a live agent: checked, stamped, versioned. Returns its id. p_first is the
-- first lesson that the client's statement ingested, NULL for that itself: one of several of a statement closes none of
-- them, and what there is to say is said once. p_item_kind (NULL means note) and p_source_dag_id are what pgmnemo's MCP
-- server takes and its function does not.
--
-- Checked, in this order: at least 20 characters (a character of a script without spaces counts twice), not one word
-- over and over, a vector of the store's width that points somewhere, role and topic. The gate, the constraints and
-- the closing of earlier versions are those of the view. verified_at is now exactly when provenance is given.
--
-- The same lesson again (project, role, topic, provenance, text) is not kept twice: its id comes back with a notice, and
-- a vector that is given stands for it from now on. A near duplicate by its vector (cosine above
-- pgmnemo.dedup_threshold, 0.98; 1 turns it off) is kept, because its text differs, and reported.

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
create or replace function pgmnemo.ingested(
    p_first bigint,
    p_role text,
    p_project_id integer,
    p_topic text,
    p_lesson_text text,
    p_importance integer,
    p_embedding %1$I.vector,
    p_commit_sha text,
    p_artifact_hash text,
    p_metadata jsonb,
    p_content_type text,
    p_item_kind text,
    p_source_dag_id text
) returns bigint
language plpgsql
set search_path = pg_catalog, %1$I
as $body$
declare
    unspaced constant text :=
        '[^\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]+';
    dimension constant integer := (select m.dimension from heirloom.meta m);
    home constant text := coalesce('project:' || p_project_id, 'custom:unassigned');
    proven constant boolean := coalesce(btrim(p_commit_sha), '') <> '' or coalesce(btrim(p_artifact_hash), '') <> '';
    threshold constant double precision := heirloom.setting_number('pgmnemo.dedup_threshold', 0.98, 0, 1);
    trimmed constant text := btrim(coalesce(p_lesson_text, ''), E' \t\r\n\u3000');
    most bigint;
    tokens bigint;
    near record;
    lesson bigint;
begin
    -- As the row will stand: what was said before is looked for below.
    p_lesson_text := heirloom.redact(p_lesson_text);
    p_topic := heirloom.redact(p_topic);
    if char_length(trimmed) + char_length(regexp_replace(left(trimmed, 40), unspaced, '', 'g')) < 20 then
        raise exception 'lesson_text too short (min 20 chars): it has %%', char_length(trimmed);
    end if;
    select max(w.n), sum(w.n) into most, tokens
    from (
        select count(*) as n
        from string_to_table(lower(translate(trimmed, E'\t\r\n', '   ')), ' ') t (token)
        where t.token <> ''
        group by t.token
    ) w;
    if (tokens > 1 and most > 0.8 * tokens) or (tokens = 1 and ltrim(trimmed, left(trimmed, 1)) = '') then
        raise exception 'repetitive content: one word makes up %% of the %% words of lesson_text, more than 80 %%%%',
            most, tokens;
    end if;
    if p_embedding is not null then
        if vector_dims(p_embedding) <> dimension then
            raise exception 'embedding dimension mismatch -- expected %%, got %%', dimension, vector_dims(p_embedding);
        end if;
        if vector_norm(p_embedding) = 0 then
            raise exception 'embedding is a zero vector, which points nowhere: give the vector of a model, or NULL';
        end if;
    end if;
    if p_role is null or p_topic is null or p_importance is null then
        raise exception 'null value in column "%%" of relation "agent_lesson" violates not-null constraint',
            case when p_role is null then 'role' when p_topic is null then 'topic' else 'importance' end
            using errcode = 'not_null_violation';
    end if;
    if p_importance not between 1 and 5 then
        raise exception 'importance is %%: it takes 1 to 5', p_importance
            using errcode = 'check_violation', constraint = 'memory_importance_check', table = 'agent_lesson',
                schema = 'pgmnemo';
    end if;

    if proven then
        select m.lesson_id into lesson
        from heirloom.memory m
        where m.namespace = home
            and m.kind = 'lesson'
            and m.role = p_role
            and m.topic = p_topic
            and m.commit_sha is not distinct from p_commit_sha
            and m.artifact_hash is not distinct from p_artifact_hash
            and m.version_key = hashtextextended(
                p_role || chr(31) || p_topic || chr(31)
                    || coalesce(nullif(btrim(p_commit_sha), ''), nullif(btrim(p_artifact_hash), '')),
                0
            )
            and m.content = p_lesson_text
            and m.is_active
            and m.t_valid_to = 'infinity'
            and m.verified_at is not null
            and (m.expires_at is null or m.expires_at > now())
            and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
        order by m.lesson_id
        limit 1;
        if found then
            -- A vector of no named model is the caller's own, and this is its newer one.
            update heirloom.memory m
            set embedding = p_embedding
            where m.namespace = home
                and m.lesson_id = lesson
                and m.embedding_model is null
                and p_embedding is not null
                and m.embedding is distinct from p_embedding;
            if found and heirloom.ingest_says('vector', p_first) then
                raise notice 'pgmnemo.ingest: lesson %% says exactly this already; it has the new vector now', lesson;
            elsif not found and heirloom.ingest_says('same', p_first) then
                raise notice 'pgmnemo.ingest: lesson %% says exactly this already; nothing was added', lesson;
            end if;
            return lesson;
        end if;
    end if;

    if p_embedding is not null and p_project_id is not null and threshold < 1 then
        select m.lesson_id, 1 - (m.embedding <=> p_embedding) as cosine into near
        from heirloom.memory m
        where m.namespace = home
            and m.kind = 'lesson'
            and m.embedding is not null
            and m.is_active
            and m.t_valid_to = 'infinity'
        order by m.embedding <=> p_embedding
        limit 1;
        if near.cosine > threshold and heirloom.ingest_says('near', p_first) then
            raise warning 'pgmnemo.ingest: near duplicate of lesson %% (cosine %%); both are kept', near.lesson_id,
                round(near.cosine::numeric, 4)
                using hint = 'pgmnemo.consolidate merges near duplicates.';
        end if;
    end if;

    -- For memory_versions.
    perform set_config('heirloom.ingesting', coalesce(p_first::text, 'first'), true);
    insert into pgmnemo.agent_lesson (
        role, project_id, topic, lesson_text, importance, embedding, commit_sha, artifact_hash, metadata, content_type,
        item_kind, source_dag_id, verified_at
    )
    values (
        p_role, p_project_id, p_topic, p_lesson_text, p_importance, p_embedding, p_commit_sha, p_artifact_hash,
        p_metadata, p_content_type, coalesce(p_item_kind, 'note'), p_source_dag_id, case when proven then now() end
    )
    returning id into lesson;
    perform set_config('heirloom.ingesting', '', true);
    if p_first is null then
        perform set_config(
            'heirloom.ingest_added', concat_ws('|', extract(epoch from statement_timestamp()), home, lesson), true
        );
    end if;
    return lesson;
end
$body$
$ddl$, pgvector);
end
$do$;
