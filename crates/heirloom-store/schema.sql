-- The catalog after `heirloom up`. Generated (HEIRLOOM_BLESS=1 cargo test -p heirloom-store catalog); not executed.

table heirloom.activity row level security forced
    id bigint not null generated always as identity
    at timestamp with time zone not null default now()
    actor text not null default SESSION_USER
    action text not null
    namespace text collate "C"
    memory_id uuid
    content_sha256 bytea
    details jsonb
    constraint activity_sha256_check CHECK ((octet_length(content_sha256) = 32))
    constraint activity_pkey PRIMARY KEY (id)
    CREATE INDEX activity_memory ON heirloom.activity USING btree (memory_id, id) WHERE (memory_id IS NOT NULL)
    CREATE INDEX activity_namespace ON heirloom.activity USING btree (namespace, id)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for select to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all))
    policy service_append for insert to heirloom_service with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for select to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    policy tenant_append for insert to heirloom_serve, heirloom_service with check (((namespace IS NULL) OR (namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))))
    CREATE TRIGGER activity_order BEFORE INSERT ON heirloom.activity FOR EACH STATEMENT EXECUTE FUNCTION heirloom.activity_order()
    grant select to heirloom_audit
    grant insert, select to heirloom_serve
    grant insert, select to heirloom_service

table heirloom.bound_role row level security
    role_name name collate "C" not null
    namespaces text[] not null
    constraint bound_role_pkey PRIMARY KEY (role_name)
    policy audit for select to heirloom_audit using (true)
    policy own for select to heirloom_serve, heirloom_service using ((role_name = SESSION_USER))
    grant select to heirloom_audit
    grant select to heirloom_serve
    grant select to heirloom_service

table heirloom.edge row level security forced
    namespace text collate "C" not null
    source_id uuid not null
    target_id uuid not null
    relation text not null
    kind text not null default 'semantic'::text
    weight real not null default 1
    metadata jsonb
    valid_from timestamp with time zone not null default now()
    valid_to timestamp with time zone
    created_at timestamp with time zone not null default now()
    constraint edge_kind_check CHECK ((kind = ANY (ARRAY['semantic'::text, 'temporal'::text, 'causal'::text, 'entity'::text])))
    constraint edge_self_check CHECK ((source_id <> target_id))
    constraint edge_weight_check CHECK (((weight >= (0)::double precision) AND (weight <= (1)::double precision)))
    constraint edge_source_fkey FOREIGN KEY (namespace, source_id) REFERENCES heirloom.memory(namespace, id) ON UPDATE CASCADE ON DELETE CASCADE
    constraint edge_target_fkey FOREIGN KEY (namespace, target_id) REFERENCES heirloom.memory(namespace, id) ON UPDATE CASCADE ON DELETE CASCADE
    constraint edge_pkey PRIMARY KEY (namespace, source_id, target_id, relation)
    CREATE INDEX edge_target ON heirloom.edge USING btree (namespace, target_id)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    CREATE TRIGGER edge_credentials BEFORE INSERT OR UPDATE OF metadata ON heirloom.edge FOR EACH ROW WHEN (((current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text) AND heirloom.may_hold_credential((new.metadata)::text))) EXECUTE FUNCTION heirloom.edge_credentials()
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.embedding row level security forced
    namespace text collate "C" not null
    id uuid not null
    model text not null
    dimension integer
    text_sha256 bytea not null
    embedding vector(1024)
    made_at timestamp with time zone not null default now()
    constraint embedding_dimension_check CHECK (((dimension >= 1) AND (dimension <= 1024)))
    constraint embedding_sha256_check CHECK ((octet_length(text_sha256) = 32))
    constraint embedding_width_check CHECK (((dimension IS NULL) = (embedding IS NULL)))
    constraint embedding_memory_fkey FOREIGN KEY (namespace, id) REFERENCES heirloom.memory(namespace, id) ON UPDATE CASCADE ON DELETE CASCADE
    constraint embedding_pkey PRIMARY KEY (namespace, id, model)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.frequency row level security forced
    namespace text collate "C" not null
    documents integer not null
    is_indexed boolean not null default false
    counted_at timestamp with time zone not null default now()
    constraint frequency_documents_check CHECK ((documents >= 0))
    constraint frequency_pkey PRIMARY KEY (namespace)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.idempotency row level security
    token_id uuid not null
    key text collate "C" not null
    request_sha256 bytea not null
    status integer
    response jsonb
    at timestamp with time zone not null default now()
    constraint idempotency_key_check CHECK (((octet_length(key) >= 1) AND (octet_length(key) <= 255)))
    constraint idempotency_sha256_check CHECK ((octet_length(request_sha256) = 32))
    constraint idempotency_pkey PRIMARY KEY (token_id, key)
    CREATE INDEX idempotency_at ON heirloom.idempotency USING btree (at)

table heirloom.ingest_log row level security forced
    id bigint not null generated by default as identity
    source_origin text not null
    min_id bigint
    max_id bigint
    ingested_at timestamp with time zone not null default now()
    retired_at timestamp with time zone
    constraint ingest_log_pkey PRIMARY KEY (id)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_service

table heirloom.lexeme row level security forced
    namespace text collate "C" not null
    lexeme text collate "C" not null
    df integer not null
    constraint lexeme_df_check CHECK ((df > 0))
    constraint lexeme_pkey PRIMARY KEY (namespace, lexeme)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.memory row level security forced
    id uuid not null default heirloom.uuid_v7()
    lesson_id bigint not null generated by default as identity
    namespace text collate "C" not null
    project_id integer
    kind text not null default 'lesson'::text
    source text not null default 'agent'::text
    role text
    topic text
    content text not null
    importance smallint not null default 3
    state text not null default 'draft'::text
    state_changed_at timestamp with time zone default now()
    commit_sha text
    artifact_hash text
    verified_at timestamp with time zone
    source_run_id text
    source_task_id text
    source_dag_id text
    pin boolean not null default false
    propagation jsonb
    metadata jsonb
    embedding_model text
    expires_at timestamp with time zone
    valid_from timestamp with time zone default now()
    valid_to timestamp with time zone
    created_at timestamp with time zone default now()
    updated_at timestamp with time zone default now()
    confidence real default 0.5
    success_count integer not null default 0
    fail_count integer not null default 0
    use_count integer not null default 0
    evidence_count integer not null default 1
    last_outcome text
    last_outcome_at timestamp with time zone
    is_active boolean not null default true
    content_type text
    item_kind text not null default 'note'::text
    version_n integer not null default 1
    patch_count integer not null default 0
    embedding vector(1024)
    content_tsv tsvector
    word_vector sparsevec
    word_vector_long sparsevec
    sign_bits bit(1024)
    source_type text
    source_task_number bigint
    t_valid_from timestamp with time zone not null default now()
    t_valid_to timestamp with time zone not null default 'infinity'::timestamp with time zone
    resolved_at timestamp with time zone
    verifier_role text
    blob_ref text
    doc_ref text
    last_recalled_at timestamp with time zone
    recall_count bigint not null default 0
    embedding_at timestamp with time zone
    version_key bigint generated always as (
CASE
    WHEN (kind = 'lesson'::text) THEN hashtextextended(((((role || chr(31)) || topic) || chr(31)) || COALESCE(NULLIF(btrim(commit_sha), ''::text), NULLIF(btrim(artifact_hash), ''::text))), (0)::bigint)
    ELSE NULL::bigint
END) stored
    project_number integer
    constraint memory_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision)))
    constraint memory_content_check CHECK ((btrim(content, '	
                  　'::text) <> ''::text))
    constraint memory_counters_check CHECK (((success_count >= 0) AND (fail_count >= 0) AND (use_count >= 0) AND (evidence_count >= 1) AND (version_n >= 1) AND (patch_count >= 0)))
    constraint memory_importance_check CHECK (((importance >= 1) AND (importance <= 5)))
    constraint memory_item_kind_check CHECK ((item_kind = ANY (ARRAY['note'::text, 'skill_md'::text, 'template'::text, 'script'::text, 'reference'::text, 'config'::text, 'spec'::text])))
    constraint memory_kind_check CHECK ((kind = ANY (ARRAY['lesson'::text, 'fact'::text, 'summary'::text, 'checkpoint'::text])))
    constraint memory_lesson_check CHECK (((kind <> 'lesson'::text) OR ((role IS NOT NULL) AND (topic IS NOT NULL))))
    constraint memory_namespace_check CHECK (((octet_length(namespace) <= 256) AND ((namespace COLLATE "C") ~ '^[a-z]+:[A-Za-z0-9_:.-]+$'::text)))
    constraint memory_source_check CHECK ((source = ANY (ARRAY['agent'::text, 'runtime'::text, 'user'::text, 'imported'::text])))
    constraint memory_source_type_check CHECK ((source_type = ANY (ARRAY['agent_authored'::text, 'auto_captured'::text, 'imported'::text, 'system'::text])))
    constraint memory_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'candidate'::text, 'validated'::text, 'canonical'::text, 'deprecated'::text, 'superseded'::text, 'archived'::text, 'rejected'::text, 'conflicted'::text])))
    constraint memory_pkey PRIMARY KEY (namespace, id)
    CREATE INDEX memory_created ON heirloom.memory USING btree (namespace, created_at DESC NULLS LAST, id)
    CREATE INDEX memory_expires ON heirloom.memory USING btree (expires_at) WHERE (expires_at IS NOT NULL)
    CREATE INDEX memory_ghost ON heirloom.memory USING btree (namespace) WHERE ((kind = 'lesson'::text) AND (verified_at IS NULL))
    CREATE INDEX memory_id ON heirloom.memory USING btree (id)
    CREATE UNIQUE INDEX memory_lesson ON heirloom.memory USING btree (lesson_id, namespace)
    CREATE INDEX memory_pinned ON heirloom.memory USING btree (namespace, created_at DESC NULLS LAST, id) WHERE pin
    CREATE INDEX memory_session ON heirloom.memory USING btree (namespace, source_run_id, created_at, id)
    CREATE INDEX memory_version ON heirloom.memory USING btree (namespace, version_key) WHERE (version_key IS NOT NULL)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    CREATE TRIGGER memory_credentials BEFORE INSERT ON heirloom.memory FOR EACH ROW WHEN (((current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text) AND (heirloom.may_hold_credential(new.content) OR heirloom.may_hold_credential(new.topic) OR heirloom.may_hold_credential(new.role) OR heirloom.may_hold_credential((new.metadata)::text) OR heirloom.may_hold_credential((new.propagation)::text)))) EXECUTE FUNCTION heirloom.memory_credentials()
    CREATE TRIGGER memory_credentials_update BEFORE UPDATE OF content, topic, role, metadata, propagation ON heirloom.memory FOR EACH ROW WHEN (((((((new.content IS DISTINCT FROM old.content) OR (new.topic IS DISTINCT FROM old.topic)) OR (new.role IS DISTINCT FROM old.role)) OR (new.metadata IS DISTINCT FROM old.metadata)) OR (new.propagation IS DISTINCT FROM old.propagation)) AND (current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text) AND (heirloom.may_hold_credential(new.content) OR heirloom.may_hold_credential(new.topic) OR heirloom.may_hold_credential(new.role) OR heirloom.may_hold_credential((new.metadata)::text) OR heirloom.may_hold_credential((new.propagation)::text)))) EXECUTE FUNCTION heirloom.memory_credentials()
    CREATE TRIGGER memory_door BEFORE INSERT ON heirloom.memory FOR EACH ROW WHEN (((new.source_type IS NOT NULL) OR ((new.namespace IS NULL) AND (new.project_id IS NULL) AND (new.kind = 'lesson'::text)))) EXECUTE FUNCTION heirloom.memory_door()
    CREATE TRIGGER memory_door_checks BEFORE INSERT ON heirloom.memory FOR EACH ROW WHEN (((new.source_type IS NOT NULL) AND (((new.importance < 1) OR (new.importance > 5)) OR ((new.confidence < (0)::double precision) OR (new.confidence > (1)::double precision)) OR (new.item_kind <> ALL (ARRAY['note'::text, 'skill_md'::text, 'template'::text, 'script'::text, 'reference'::text, 'config'::text, 'spec'::text])) OR (new.source_type <> ALL (ARRAY['agent_authored'::text, 'auto_captured'::text, 'imported'::text, 'system'::text])) OR (new.state <> ALL (ARRAY['draft'::text, 'candidate'::text, 'validated'::text, 'canonical'::text, 'deprecated'::text, 'superseded'::text, 'archived'::text, 'rejected'::text, 'conflicted'::text])) OR heirloom.is_blank(new.content)))) EXECUTE FUNCTION heirloom.memory_door_checks()
    CREATE TRIGGER memory_door_checks_update BEFORE UPDATE OF importance, confidence, item_kind, source_type, state, content ON heirloom.memory FOR EACH ROW WHEN ((heirloom.by_sql_door(new.source_type) AND (((new.importance < 1) OR (new.importance > 5)) OR ((new.confidence < (0)::double precision) OR (new.confidence > (1)::double precision)) OR (new.item_kind <> ALL (ARRAY['note'::text, 'skill_md'::text, 'template'::text, 'script'::text, 'reference'::text, 'config'::text, 'spec'::text])) OR (new.source_type <> ALL (ARRAY['agent_authored'::text, 'auto_captured'::text, 'imported'::text, 'system'::text])) OR (new.state <> ALL (ARRAY['draft'::text, 'candidate'::text, 'validated'::text, 'canonical'::text, 'deprecated'::text, 'superseded'::text, 'archived'::text, 'rejected'::text, 'conflicted'::text])) OR heirloom.is_blank(new.content)))) EXECUTE FUNCTION heirloom.memory_door_checks()
    CREATE TRIGGER memory_door_delete AFTER DELETE ON heirloom.memory FOR EACH ROW WHEN (heirloom.by_sql_door(old.source_type)) EXECUTE FUNCTION heirloom.memory_door_delete()
    CREATE TRIGGER memory_door_history AFTER UPDATE OF role, topic, content, metadata, state, commit_sha, artifact_hash, verified_at, importance, is_active, expires_at, namespace, project_number ON heirloom.memory FOR EACH ROW WHEN ((heirloom.by_sql_door(old.source_type) AND ((((((((((((new.role IS DISTINCT FROM old.role) OR (new.topic IS DISTINCT FROM old.topic)) OR (new.content IS DISTINCT FROM old.content)) OR (new.metadata IS DISTINCT FROM old.metadata)) OR (new.state IS DISTINCT FROM old.state)) OR (new.commit_sha IS DISTINCT FROM old.commit_sha)) OR (new.artifact_hash IS DISTINCT FROM old.artifact_hash)) OR (new.verified_at IS DISTINCT FROM old.verified_at)) OR (new.importance IS DISTINCT FROM old.importance)) OR (new.is_active IS DISTINCT FROM old.is_active)) OR (new.expires_at IS DISTINCT FROM old.expires_at)) OR (new.namespace IS DISTINCT FROM old.namespace)))) EXECUTE FUNCTION heirloom.memory_door_history()
    CREATE TRIGGER memory_door_update BEFORE UPDATE ON heirloom.memory FOR EACH ROW WHEN (((new.source_type IS NOT NULL) OR (old.source_type IS NOT NULL) OR (((((new.valid_from IS DISTINCT FROM old.valid_from) OR (new.valid_to IS DISTINCT FROM old.valid_to)) OR (new.t_valid_from IS DISTINCT FROM old.t_valid_from)) OR (new.t_valid_to IS DISTINCT FROM old.t_valid_to)) OR (new.created_at IS DISTINCT FROM old.created_at)) OR (((new.namespace IS DISTINCT FROM old.namespace) OR (new.project_id IS DISTINCT FROM old.project_id)) OR (new.project_number IS DISTINCT FROM old.project_number)) OR ((((new.source_task_id IS DISTINCT FROM old.source_task_id) OR (new.source_task_number IS DISTINCT FROM old.source_task_number)) OR (new.commit_sha IS DISTINCT FROM old.commit_sha)) OR (new.artifact_hash IS DISTINCT FROM old.artifact_hash)))) EXECUTE FUNCTION heirloom.memory_door_update()
    CREATE TRIGGER memory_door_version BEFORE UPDATE OF role, topic, content, metadata, state ON heirloom.memory FOR EACH ROW WHEN ((heirloom.by_sql_door(old.source_type) AND (((((new.role IS DISTINCT FROM old.role) OR (new.topic IS DISTINCT FROM old.topic)) OR (new.content IS DISTINCT FROM old.content)) OR (new.metadata IS DISTINCT FROM old.metadata)) OR (new.state IS DISTINCT FROM old.state)))) EXECUTE FUNCTION heirloom.memory_door_version()
    CREATE TRIGGER memory_forms BEFORE INSERT ON heirloom.memory FOR EACH ROW WHEN (((new.source_type IS NULL) AND ((new.t_valid_from IS DISTINCT FROM COALESCE(new.valid_from, new.created_at, '-infinity'::timestamp with time zone)) OR (new.t_valid_to IS DISTINCT FROM COALESCE(new.valid_to, 'infinity'::timestamp with time zone)) OR (new.source_task_id IS NOT NULL) OR (new.project_id IS NOT NULL) OR (new.namespace ~~ 'project:%'::text)))) EXECUTE FUNCTION heirloom.memory_forms()
    CREATE TRIGGER memory_moved AFTER UPDATE ON heirloom.memory FOR EACH ROW WHEN ((new.namespace <> old.namespace)) EXECUTE FUNCTION heirloom.memory_moved()
    CREATE TRIGGER memory_namespace BEFORE INSERT ON heirloom.memory FOR EACH ROW WHEN (((new.namespace IS NULL) AND (new.project_id IS NOT NULL))) EXECUTE FUNCTION heirloom.memory_namespace()
    CREATE TRIGGER memory_ranking BEFORE INSERT ON heirloom.memory FOR EACH ROW WHEN (((new.content_tsv IS NULL) OR (current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text))) EXECUTE FUNCTION heirloom.memory_ranking()
    CREATE TRIGGER memory_ranking_update BEFORE UPDATE OF topic, role, content, content_tsv, word_vector, word_vector_long, embedding, embedding_model, sign_bits ON heirloom.memory FOR EACH ROW EXECUTE FUNCTION heirloom.memory_ranking()
    CREATE TRIGGER memory_updated_at BEFORE UPDATE OF role, topic, content, metadata, updated_at ON heirloom.memory FOR EACH ROW WHEN (((NOT (new.updated_at IS DISTINCT FROM old.updated_at)) AND ((((new.role IS DISTINCT FROM old.role) OR (new.topic IS DISTINCT FROM old.topic)) OR (new.content IS DISTINCT FROM old.content)) OR (new.metadata IS DISTINCT FROM old.metadata)) AND (current_setting('heirloom.times_given'::text, true) IS DISTINCT FROM 'on'::text))) EXECUTE FUNCTION heirloom.memory_updated_at()
    CREATE TRIGGER memory_versions AFTER INSERT ON heirloom.memory REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION heirloom.memory_versions()
    CREATE TRIGGER memory_width BEFORE INSERT OR UPDATE OF namespace, project_id, embedding, embedding_model ON heirloom.memory FOR EACH ROW WHEN (((new.embedding IS NOT NULL) AND (new.embedding_model <> ''::text) AND (current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text))) EXECUTE FUNCTION heirloom.memory_width()
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.meta
    only_row boolean not null default true
    store_id uuid not null default gen_random_uuid()
    dimension integer not null
    language text not null
    version text not null
    created_at timestamp with time zone not null default now()
    constraint meta_dimension_check CHECK (((dimension >= 1) AND (dimension <= 16000)))
    constraint meta_only_row_check CHECK (only_row)
    constraint meta_pkey PRIMARY KEY (only_row)
    grant select to heirloom_audit
    grant select to heirloom_serve
    grant select to heirloom_service

table heirloom.model
    name text not null
    dimension integer not null
    centre vector(1024) not null
    vectors bigint not null
    centred_at timestamp with time zone not null default now()
    constraint model_dimension_check CHECK (((dimension >= 1) AND (dimension <= 1024)))
    constraint model_pkey PRIMARY KEY (name)
    grant select to heirloom_audit

table heirloom.model_width row level security forced
    namespace text collate "C" not null
    model text not null
    dimension integer not null
    constraint model_width_dimension_check CHECK (((dimension >= 1) AND (dimension <= 1024)))
    constraint model_width_model_check CHECK ((model <> ''::text))
    constraint model_width_pkey PRIMARY KEY (namespace, model)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.namespace row level security forced
    name text collate "C" not null
    kind text not null generated always as (split_part(name, ':'::text, 1)) stored
    expires_at timestamp with time zone
    metadata jsonb
    created_at timestamp with time zone not null default now()
    given_kind text
    constraint namespace_given_kind_check CHECK ((given_kind = ANY (ARRAY['workspace'::text, 'team'::text, 'org'::text, 'custom'::text])))
    constraint namespace_name_check CHECK (((octet_length(name) <= 256) AND ((name COLLATE "C") ~ '^[a-z]+:[A-Za-z0-9_:.-]+$'::text)))
    constraint namespace_pkey PRIMARY KEY (name)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((name = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((name = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.object
    path text not null
    sha256 text not null
    applied_at timestamp with time zone not null default now()
    constraint object_pkey PRIMARY KEY (path)
    grant select to heirloom_audit

table heirloom.origin row level security forced
    id uuid not null
    namespace text collate "C" not null
    run_id uuid not null
    source text not null
    source_key text not null
    source_row json not null
    source_digest bytea not null
    written_digest bytea not null
    handed_down_at timestamp with time zone not null default now()
    constraint origin_source_digest_check CHECK ((octet_length(source_digest) = 16))
    constraint origin_written_digest_check CHECK ((octet_length(written_digest) = 16))
    constraint origin_pkey PRIMARY KEY (id, namespace)
    CREATE INDEX origin_source ON heirloom.origin USING btree (source)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    grant select to heirloom_audit
    grant delete, insert, select, update to heirloom_serve
    grant delete, insert, select, update to heirloom_service

table heirloom.revision row level security forced
    namespace text collate "C" not null
    memory_id uuid not null
    version_n integer not null
    role text
    topic text
    content text not null
    metadata jsonb
    actor text not null default SESSION_USER
    replaced_at timestamp with time zone not null default now()
    constraint revision_memory_fkey FOREIGN KEY (namespace, memory_id) REFERENCES heirloom.memory(namespace, id) ON UPDATE CASCADE ON DELETE CASCADE
    constraint revision_pkey PRIMARY KEY (namespace, memory_id, version_n)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    grant select to heirloom_audit
    grant delete, insert, select to heirloom_serve
    grant delete, insert, select to heirloom_service

table heirloom.schema_version
    ordinal integer not null
    name text not null
    sha256 text not null
    applied_at timestamp with time zone not null default now()
    constraint schema_version_pkey PRIMARY KEY (ordinal)
    grant select to heirloom_audit
    grant select to heirloom_serve
    grant select to heirloom_service

table heirloom.state_transition row level security forced
    id bigint not null generated always as identity
    namespace text collate "C" not null
    memory_id uuid not null
    from_state text not null
    to_state text not null
    actor text not null default SESSION_USER
    reason text
    at timestamp with time zone not null default now()
    constraint state_transition_memory_fkey FOREIGN KEY (namespace, memory_id) REFERENCES heirloom.memory(namespace, id) ON UPDATE CASCADE ON DELETE CASCADE
    constraint state_transition_pkey PRIMARY KEY (namespace, memory_id, id)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    CREATE TRIGGER reason_credentials BEFORE INSERT OR UPDATE OF reason ON heirloom.state_transition FOR EACH ROW WHEN (((current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text) AND heirloom.may_hold_credential(new.reason))) EXECUTE FUNCTION heirloom.reason_credentials()
    grant select to heirloom_audit
    grant delete, insert, select to heirloom_serve
    grant delete, insert, select to heirloom_service

table heirloom.token row level security
    id uuid not null default gen_random_uuid()
    name text not null
    sha256 bytea not null
    namespaces text[] not null
    created_at timestamp with time zone not null default now()
    expires_at timestamp with time zone
    revoked_at timestamp with time zone
    rights text not null
    rate_per_minute integer
    constraint token_rate_check CHECK ((rate_per_minute > 0))
    constraint token_rights_check CHECK ((rights = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text])))
    constraint token_sha256_check CHECK ((octet_length(sha256) = 32))
    constraint token_pkey PRIMARY KEY (id)
    constraint token_sha256_key UNIQUE (sha256)
    CREATE UNIQUE INDEX token_name ON heirloom.token USING btree (name) WHERE (revoked_at IS NULL)
    policy admin for all to heirloom_admin using (true) with check (true)

table heirloom.tombstone row level security forced
    id uuid not null
    namespace text collate "C" not null
    forgotten_at timestamp with time zone not null default now()
    actor text not null default SESSION_USER
    reason text
    constraint tombstone_pkey PRIMARY KEY (id, namespace)
    policy audit for select to heirloom_audit using (true)
    policy dump for select to (owner) using (( SELECT heirloom.owner_dumps() AS owner_dumps))
    policy service for all to heirloom_service using (( SELECT heirloom.serves_all() AS serves_all)) with check (( SELECT heirloom.serves_all() AS serves_all))
    policy tenant for all to heirloom_serve, heirloom_service using ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[]))) with check ((namespace = ANY (( SELECT heirloom.visible_namespaces() AS visible_namespaces)::text[])))
    CREATE TRIGGER reason_credentials BEFORE INSERT OR UPDATE OF reason ON heirloom.tombstone FOR EACH ROW WHEN (((current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text) AND heirloom.may_hold_credential(new.reason))) EXECUTE FUNCTION heirloom.reason_credentials()
    grant select to heirloom_audit
    grant insert, select to heirloom_serve
    grant insert, select to heirloom_service

table heirloom.workspace row level security
    id text collate "C" not null
    name text not null
    parent_id text collate "C"
    status text not null
    created_at timestamp with time zone not null default now()
    constraint workspace_id_check CHECK (((octet_length(id) <= 240) AND (id ~ '^[A-Za-z0-9_:.-]+$'::text)))
    constraint workspace_self_check CHECK ((parent_id <> id))
    constraint workspace_parent_fkey FOREIGN KEY (parent_id) REFERENCES heirloom.workspace(id) ON DELETE SET NULL
    constraint workspace_pkey PRIMARY KEY (id)
    CREATE INDEX workspace_parent ON heirloom.workspace USING btree (parent_id) WHERE (parent_id IS NOT NULL)
    policy admin for all to heirloom_admin using (true) with check (true)
    policy audit for select to heirloom_audit using (true)
    grant select to heirloom_audit

CREATE OR REPLACE FUNCTION heirloom.activity_order()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    perform pg_current_xact_id();
    return null;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.authenticate(in_sha256 bytea)
 RETURNS TABLE(id uuid, name text, namespaces text[], rights text, rate_per_minute integer, created_at timestamp with time zone, expires_at timestamp with time zone, revoked_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
    select t.id, t.name, t.namespaces, t.rights, t.rate_per_minute, t.created_at, t.expires_at, t.revoked_at
    from heirloom.token t
    where t.sha256 = in_sha256
        and t.revoked_at is null
        and (t.expires_at is null or t.expires_at > statement_timestamp())
$function$

CREATE OR REPLACE FUNCTION heirloom.by_sql_door(source_type text)
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN ((current_setting('heirloom.redacted'::text, true) IS DISTINCT FROM 'on'::text) AND (current_setting('heirloom.times_given'::text, true) IS DISTINCT FROM 'on'::text) AND (current_setting('heirloom.noted'::text, true) IS DISTINCT FROM 'on'::text) AND ((source_type IS NOT NULL) OR row_security_active(('heirloom.memory'::regclass)::oid)))

CREATE OR REPLACE FUNCTION heirloom.count_words(in_namespace text)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    counted integer;
begin
    perform pg_advisory_xact_lock(hashtext('heirloom.count_words'), hashtext(in_namespace));
    select count(*) into counted from heirloom.memory m where m.namespace = in_namespace;
    with fresh as materialized (
        select s.word as lexeme, s.ndoc as df
        from ts_stat(format('select m.content_tsv from heirloom.memory m where m.namespace = %L', in_namespace)) s
    ),
    gone as (
        delete from heirloom.lexeme x
        where x.namespace = in_namespace and not exists (select from fresh f where f.lexeme = x.lexeme)
    )
    insert into heirloom.lexeme as x (namespace, lexeme, df)
    select in_namespace, f.lexeme, f.df
    from fresh f
    on conflict (namespace, lexeme) do update set df = excluded.df where x.df <> excluded.df;

    insert into heirloom.frequency as f (namespace, documents)
    values (in_namespace, counted)
    on conflict (namespace) do update set documents = excluded.documents, counted_at = now();
    return counted;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.count_words_if_stale(in_namespace text, came integer DEFAULT 1)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
AS $function$
declare
    known heirloom.frequency;
    enough integer;
    fresh integer := came;
begin
    select f.* into known from heirloom.frequency f where f.namespace = in_namespace;
    enough := case when known.namespace is null then 10 else greatest(8, known.documents / 5) end;
    if known.documents > 5000 and came < enough then
        return;
    end if;
    if fresh < enough then
        select count(*)
        into fresh
        from (
            select
            from heirloom.memory m
            where m.namespace = in_namespace and m.created_at > coalesce(known.counted_at, '-infinity')
            order by m.created_at desc nulls last
            limit enough
        ) n;
    end if;
    if fresh >= enough and pg_try_advisory_xact_lock(hashtext('heirloom.count_words'), hashtext(in_namespace)) then
        perform heirloom.count_words(in_namespace);
    end if;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.edge_credentials()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    new.metadata := heirloom.redact_json(new.metadata);
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.embedded_text(topic text, content text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
    select coalesce(nullif(topic, '') || E'\n\n', '') || content
$function$

CREATE OR REPLACE FUNCTION heirloom.function_words()
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$select '{a,about,abov,after,again,against,all,also,am,an,and,ani,are,aren,as,at,be,becaus,been,befor,below,between,both,but,by,can,could,couldn,d,did,didn,do,doe,doesn,don,down,dure,each,few,for,from,further,had,hadn,has,hasn,have,haven,he,her,here,herself,him,himself,his,how,i,if,in,into,is,isn,it,itself,just,ll,m,ma,may,me,might,mightn,more,most,must,mustn,my,myself,need,needn,no,nor,not,now,o,of,off,on,onc,onli,or,other,our,ourselv,out,over,own,re,s,same,shall,shan,she,should,shouldn,so,some,such,t,than,that,the,their,them,themselv,then,there,these,they,this,those,through,to,too,under,until,up,us,ve,veri,was,wasn,we,were,weren,what,when,where,whi,which,while,who,whom,whose,will,with,won,would,wouldn,y,yes,you,your,yourself,yourselv}'::text[]$function$

CREATE OR REPLACE FUNCTION heirloom.gate()
 RETURNS text
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    found text := lower(btrim(current_setting('pgmnemo.gate_strict', true), E' \t\r\n'));
begin
    if coalesce(found, '') = '' then
        return 'enforce';
    end if;
    if found not in ('enforce', 'warn', 'off') then
        raise exception 'pgmnemo.gate_strict is ''%'': it takes enforce, warn or off', found
            using errcode = 'invalid_parameter_value';
    end if;
    return found;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.idempotent_begin(in_token uuid, in_key text, in_sha256 bytea, OUT outcome text, OUT status integer, OUT response jsonb)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare
    known heirloom.idempotency;
begin
    if exists (select from heirloom.bound_role b where b.role_name = session_user) then
        raise exception 'this login is bound to namespaces' using errcode = 'insufficient_privilege';
    end if;
    insert into heirloom.idempotency as i (token_id, key, request_sha256)
    values (in_token, in_key, in_sha256)
    on conflict (token_id, key) do update
    set request_sha256 = excluded.request_sha256, status = null, response = null, at = now()
    where i.at < now() - interval '1 day'
        or (i.status is null and i.request_sha256 = excluded.request_sha256 and i.at < now() - interval '2 minutes');
    if found then
        outcome := 'fresh';
        return;
    end if;
    select i.* into known from heirloom.idempotency i where i.token_id = in_token and i.key = in_key;
    status := known.status;
    outcome := case
        when known.request_sha256 <> in_sha256 then 'mismatch'
        when known.status is null then 'busy'
        else 'replay'
    end;
    if outcome = 'replay' then
        response := known.response;
    end if;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.idempotent_expire()
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
    with gone as (
        delete from heirloom.idempotency i where i.at < now() - interval '1 day' returning 1
    )
    select count(*) from gone
$function$

CREATE OR REPLACE FUNCTION heirloom.idempotent_finish(in_token uuid, in_key text, in_sha256 bytea, in_status integer, in_response jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
    if exists (select from heirloom.bound_role b where b.role_name = session_user) then
        raise exception 'this login is bound to namespaces' using errcode = 'insufficient_privilege';
    end if;
    if in_status is null then
        delete from heirloom.idempotency i
        where i.token_id = in_token and i.key = in_key and i.request_sha256 = in_sha256 and i.status is null;
    else
        update heirloom.idempotency i
        set status = in_status, response = in_response
        where i.token_id = in_token and i.key = in_key and i.request_sha256 = in_sha256 and i.status is null;
    end if;
    return found;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.ingest_first()
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    -- When, in which namespace, which lesson.
    added constant text[] := string_to_array(nullif(current_setting('heirloom.ingest_added', true), ''), '|');
begin
    if added is null or added[1] <> extract(epoch from statement_timestamp())::text
        or exists (
            select from heirloom.memory m where m.namespace = added[2] and m.lesson_id = added[3]::bigint
        )
    then
        return null;
    end if;
    return added[3]::bigint;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.ingest_says(kind text, first bigint)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    now constant text := extract(epoch from statement_timestamp())::text;
    said text := coalesce(current_setting('heirloom.ingest_said', true), '');
begin
    -- Another statement, also where several came in one message and share their time.
    if split_part(said, '|', 1) <> now
        or (first is null and split_part(current_setting('heirloom.ingest_added', true), '|', 1) = now)
    then
        said := now;
    end if;
    if ingest_says.kind = any (string_to_array(said, '|')) then
        return false;
    end if;
    perform set_config('heirloom.ingest_said', said || '|' || ingest_says.kind, true);
    return true;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.is_blank(content text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (btrim(content, '	
                  　'::text) = ''::text)

CREATE OR REPLACE FUNCTION heirloom.is_listed(m heirloom.memory, kinds text[], states text[], sources text[], pinned boolean, expired boolean, role text, topic text, tag text, unverified boolean, expiring_before timestamp with time zone, recallable boolean, pattern text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
RETURN (((cardinality(kinds) = 0) OR ((m).kind = ANY (kinds))) AND ((cardinality(states) = 0) OR ((m).state = ANY (states))) AND ((cardinality(sources) = 0) OR ((m).source = ANY (sources))) AND ((pinned IS NULL) OR ((m).pin = pinned)) AND ((expired IS NULL) OR (COALESCE(((m).expires_at <= statement_timestamp()), false) = expired)) AND ((role IS NULL) OR ((m).role = role)) AND ((topic IS NULL) OR ((m).topic = topic)) AND ((tag IS NULL) OR (((m).metadata -> 'tags'::text) ? tag)) AND ((unverified IS NULL) OR ((((m).kind = 'lesson'::text) AND ((m).verified_at IS NULL)) = unverified)) AND ((expiring_before IS NULL) OR ((m).expires_at < expiring_before)) AND ((NOT recallable) OR heirloom.is_recallable(m, statement_timestamp(), false, NULL::text[], NULL::text, NULL::text, NULL::text[], NULL::text[])) AND ((pattern IS NULL) OR ((m).content ~~* pattern)))

CREATE OR REPLACE FUNCTION heirloom.is_recallable(m heirloom.memory, at timestamp with time zone, include_unverified boolean, kinds text[], role text, exclude_dag text, content_types text[], also_states text[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
RETURN ((m).is_active AND (((m).state <> ALL (ARRAY['deprecated'::text, 'superseded'::text, 'archived'::text, 'rejected'::text])) OR (((m).state = ANY (ARRAY['deprecated'::text, 'superseded'::text])) AND ((m).state = ANY (also_states)))) AND (((m).expires_at IS NULL) OR ((m).expires_at > GREATEST(at, statement_timestamp()))) AND (COALESCE((m).valid_from, (m).created_at, '-infinity'::timestamp with time zone) <= at) AND (((m).valid_to IS NULL) OR ((m).valid_to > at)) AND (include_unverified OR ((m).kind <> 'lesson'::text) OR ((m).verified_at IS NOT NULL)) AND ((kinds IS NULL) OR ((m).kind = ANY (kinds))) AND ((role IS NULL) OR ((m).role = role)) AND ((exclude_dag IS NULL) OR ((m).source_dag_id IS DISTINCT FROM exclude_dag)) AND ((content_types IS NULL) OR ((m).content_type = ANY (content_types))))

CREATE OR REPLACE FUNCTION heirloom.may_hold_credential(said text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((said ~ '(?:[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]|[Pp][Aa][Ss][Ss][Ww][Dd]|[Pp][Aa][Ss][Ss][Pp][Hh][Rr][Aa][Ss][Ee]|[Pp][Ww][Dd]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn]|[Kk][Ee][Yy])["''`\\]*[ \t]*[:=]|(?:[Bb]earer|BEARER)[ \t]|-----BEGIN [A-Z0-9 ]*PRIVATE KEY|//[^ @/:]*:[^ @/]+@|ghp_|gho_|ghs_|ghu_|ghr_|github_pat_|vc_|A[KS]IA[A-Z0-9]|pplx-|(?:^|[^A-Za-z0-9_-])sk-|ctx7_|xox[a-z]-|xapp-|hooks[.]slack[.]com/|AIza|[.]eyJ|glpat-|k_live_|k_test_|whsec_|npm_|pypi-|(?:[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]|[Pp][Aa][Ss][Ss][Ww][Dd]|[Pp][Aa][Ss][Ss][Pp][Hh][Rr][Aa][Ss][Ee])[ \t]'::text) OR (said ~ '[A-Za-z0-9+/]{33}'::text))

CREATE OR REPLACE FUNCTION heirloom.may_see(in_namespace text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog'
AS $function$
    select coalesce(in_namespace = any (heirloom.visible_namespaces()), false)
        or (
            pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user), 'heirloom_service', 'member')
            and heirloom.serves_all()
        )
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_credentials()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    new.content := heirloom.redact(new.content);
    new.topic := heirloom.redact(new.topic);
    new.role := heirloom.redact(new.role);
    new.metadata := heirloom.redact_json(new.metadata);
    new.propagation := heirloom.redact_json(new.propagation);
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_door()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    if new.role is null or new.topic is null then
        raise exception 'null value in column "%" of relation "agent_lesson" violates not-null constraint',
            case when new.role is null then 'role' else 'topic' end
            using errcode = 'not_null_violation';
    end if;
    if coalesce(btrim(new.commit_sha), '') = '' and coalesce(btrim(new.artifact_hash), '') = '' then
        if heirloom.gate() = 'enforce' then
            raise exception 'pgmnemo provenance gate [enforce]: INSERT rejected: a lesson needs commit_sha or artifact_hash, and an empty one is none'
                using hint = 'Say which commit or artifact taught it. For a backfill: SET pgmnemo.gate_strict = ''warn'' (kept as a ghost, which recall leaves out, with a warning) or ''off'' (the same in silence).';
        end if;
        new.verified_at := null;
    end if;

    new.source_type := coalesce(new.source_type, 'auto_captured');
    new.project_id := coalesce(new.project_id, new.project_number);
    new.namespace := coalesce(new.namespace, 'project:' || new.project_id, 'custom:unassigned');
    new.project_number := coalesce(new.project_id, heirloom.project_of(new.namespace));
    if new.t_valid_from = 'infinity' then
        new.t_valid_from := least(coalesce(new.created_at, now()), now());
    end if;
    new.valid_from := new.t_valid_from;
    new.valid_to := nullif(new.t_valid_to, 'infinity');
    if new.source_task_number is not null then
        new.source_task_id := new.source_task_number::text;
    end if;
    new.source := case new.source_type when 'imported' then 'imported' when 'system' then 'runtime' else 'agent' end;
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_door_checks()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    named text;
    told text;
begin
    if new.importance not between 1 and 5 then
        named := 'importance';
        told := format('importance is %s: it takes 1 to 5', new.importance);
    elsif new.confidence not between 0 and 1 then
        named := 'confidence';
        told := format('confidence is %s: it takes 0 to 1', new.confidence);
    elsif heirloom.is_blank(new.content) then
        named := 'content';
        told := 'lesson_text is blank: it takes a text with at least one character that is not white space';
    elsif new.item_kind not in ('note', 'skill_md', 'template', 'script', 'reference', 'config', 'spec') then
        named := 'item_kind';
        told := format(
            'item_kind is ''%s'': it takes note, skill_md, template, script, reference, config or spec',
            left(heirloom.redact(new.item_kind), 40)
        );
    elsif new.source_type not in ('agent_authored', 'auto_captured', 'imported', 'system') then
        named := 'source_type';
        told := format(
            'source_type is ''%s'': it takes agent_authored, auto_captured, imported or system',
            left(heirloom.redact(new.source_type), 40)
        );
    else
        named := 'state';
        told := format(
            'state is ''%s'': it takes draft, candidate, validated, canonical, deprecated, superseded, archived, rejected or conflicted',
            left(heirloom.redact(new.state), 40)
        );
    end if;
    raise exception '%', told
        using errcode = 'check_violation', schema = 'pgmnemo', table = 'agent_lesson',
            column = case named when 'content' then 'lesson_text' else named end,
            constraint = 'memory_' || named || '_check';
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_door_delete()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    delete from heirloom.origin o where o.namespace = old.namespace and o.id = old.id;
    insert into heirloom.tombstone (id, namespace)
    values (old.id, old.namespace)
    on conflict (id, namespace) do nothing;
    insert into heirloom.activity (action, namespace, memory_id, content_sha256)
    values ('forget', old.namespace, old.id, sha256(convert_to(old.content, 'UTF8')));
    return null;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_door_history()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    says_else constant boolean :=
        (new.role, new.topic, new.content, new.metadata) is distinct from (old.role, old.topic, old.content, old.metadata);
    digest constant bytea := sha256(convert_to(new.content, 'UTF8'));
begin
    if says_else then
        -- Not under a number that is taken: a writer may have set version_n back.
        insert into heirloom.revision (namespace, memory_id, version_n, role, topic, content, metadata)
        select new.namespace, new.id, greatest(old.version_n, max(r.version_n) + 1), old.role, old.topic, old.content,
            old.metadata
        from heirloom.revision r
        where r.namespace = new.namespace and r.memory_id = new.id;
    end if;
    if says_else
        or (new.commit_sha, new.artifact_hash, new.verified_at, new.importance, new.is_active, new.namespace)
            is distinct from
            (old.commit_sha, old.artifact_hash, old.verified_at, old.importance, old.is_active, old.namespace)
    then
        insert into heirloom.activity (action, namespace, memory_id, content_sha256, details)
        values ('revise', new.namespace, new.id, digest, jsonb_build_object('version', new.version_n));
    end if;
    if new.expires_at is distinct from old.expires_at then
        insert into heirloom.activity (action, namespace, memory_id, content_sha256, details)
        values (
            'keep', new.namespace, new.id, digest,
            jsonb_build_object(
                'expires_us',
                case when isfinite(new.expires_at) then (extract(epoch from new.expires_at) * 1000000)::bigint end
            )
        );
    end if;
    if new.state <> old.state then
        perform heirloom.note_transition(new.namespace, new.id, old.state, new.state, null, null);
    end if;
    return null;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_door_update()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    given constant boolean := coalesce(current_setting('heirloom.times_given', true), '') = 'on';
begin
    if new.t_valid_from is distinct from old.t_valid_from then
        new.valid_from := new.t_valid_from;
    elsif new.valid_from is distinct from old.valid_from or new.created_at is distinct from old.created_at then
        new.t_valid_from := coalesce(new.valid_from, new.created_at, '-infinity');
    end if;
    if new.t_valid_to is distinct from old.t_valid_to then
        new.valid_to := nullif(new.t_valid_to, 'infinity');
    elsif new.valid_to is distinct from old.valid_to then
        new.t_valid_to := coalesce(new.valid_to, 'infinity');
    end if;
    if new.source_task_number is distinct from old.source_task_number then
        new.source_task_id := new.source_task_number::text;
    elsif new.source_task_id is distinct from old.source_task_id then
        new.source_task_number :=
            case when new.source_task_id ~ '^-?[0-9]{1,18}$' then new.source_task_id::bigint end;
    end if;

    if new.project_number is distinct from old.project_number then
        new.project_id := new.project_number;
    elsif new.project_id is distinct from old.project_id or new.namespace <> old.namespace then
        new.project_number := coalesce(new.project_id, heirloom.project_of(new.namespace));
    end if;
    if new.project_number is distinct from old.project_number and new.namespace = old.namespace and not given
        and old.namespace = coalesce('project:' || old.project_number, 'custom:unassigned')
    then
        new.namespace := coalesce('project:' || new.project_number, 'custom:unassigned');
    end if;
    if old.source_type is not null then
        new.source_type := coalesce(new.source_type, 'auto_captured');
    end if;

    if new.kind = 'lesson' and not given
        and coalesce(btrim(new.commit_sha), '') = '' and coalesce(btrim(new.artifact_hash), '') = ''
        and (coalesce(btrim(old.commit_sha), '') <> '' or coalesce(btrim(old.artifact_hash), '') <> '')
    then
        if heirloom.gate() = 'enforce' then
            raise exception 'pgmnemo provenance gate [enforce]: UPDATE rejected: it would leave a lesson without commit_sha and artifact_hash'
                using hint = 'Give another commit or artifact in the same statement, or SET pgmnemo.gate_strict = ''warn'' or ''off'' to make it a ghost.';
        end if;
        new.verified_at := null;
        -- Once a statement of the client, not once a row.
        if heirloom.gate() = 'warn'
            and current_setting('heirloom.gate_warned', true) is distinct from statement_timestamp()::text
        then
            perform set_config('heirloom.gate_warned', statement_timestamp()::text, true);
            raise warning 'pgmnemo provenance gate [warn]: UPDATE left lessons without commit_sha and artifact_hash; they are ghosts now, which recall leaves out';
        end if;
    end if;

    if new.source_type is not null and not given and new.updated_at is not distinct from old.updated_at then
        new.updated_at := now();
    end if;
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_door_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    if (new.role, new.topic, new.content, new.metadata) is distinct from (old.role, old.topic, old.content, old.metadata)
    then
        new.version_n := greatest(new.version_n, old.version_n + 1);
        if new.patch_count = old.patch_count then
            new.patch_count := old.patch_count + 1;
        end if;
    end if;
    if new.state <> old.state and new.state_changed_at is not distinct from old.state_changed_at then
        new.state_changed_at := now();
    end if;
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_forms()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    new.t_valid_from := coalesce(new.valid_from, new.created_at, '-infinity');
    new.t_valid_to := coalesce(new.valid_to, 'infinity');
    if new.source_task_id ~ '^-?[0-9]{1,18}$' then
        new.source_task_number := new.source_task_id::bigint;
    end if;
    new.project_number := coalesce(new.project_id, heirloom.project_of(new.namespace));
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_moved()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    behind bigint;
begin
    select m.lesson_id into behind
    from heirloom.edge e
    join heirloom.memory m
        on m.namespace = old.namespace
        and m.id = case when e.source_id = new.id then e.target_id else e.source_id end
    where e.namespace = new.namespace
        and (e.source_id = new.id or e.target_id = new.id)
    order by m.lesson_id
    limit 1;
    if found then
        raise exception 'lesson % is linked to lesson % of the project it would leave; a link stays within one project',
            new.lesson_id, behind
            using errcode = 'foreign_key_violation',
                hint = format(
                    'Move both in one statement, or take the links away first: delete from heirloom.edge where %L in (source_id, target_id)',
                    new.id
                );
    end if;
    return null;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_namespace()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    new.namespace := 'project:' || new.project_id;
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_ranking()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', '(pgvector)'
AS $function$
declare
    words sparsevec;
begin
    if tg_op = 'UPDATE'
        and new.content_tsv is distinct from old.content_tsv
        and new.content_tsv is not null
        and current_setting('heirloom.redacted', true) = 'on'
    then
        null; -- Brought.
    elsif tg_op = 'INSERT'
        or new.content_tsv is null
        or (new.topic, new.role, new.content, new.content_tsv, new.word_vector, new.word_vector_long)
            is distinct from (old.topic, old.role, old.content, old.content_tsv, old.word_vector, old.word_vector_long)
    then
        new.content_tsv := heirloom.search_vector(new.topic, new.role, new.content);
        words := heirloom.word_vector(new.content_tsv);
        if length(new.content_tsv) <= 480 then
            new.word_vector := words;
            new.word_vector_long := null;
        else
            new.word_vector := null;
            new.word_vector_long := words;
        end if;
    end if;
    new.sign_bits := null;
    if new.embedding is not null then
        -- A load brings what its source has; everybody else is told.
        if vector_norm(new.embedding) = 0
            and (
                new.source_type is not null
                or (
                    tg_op = 'UPDATE'
                    and new.embedding is distinct from old.embedding
                    and current_setting('heirloom.times_given', true) is distinct from 'on'
                )
            )
        then
            raise exception 'embedding is a zero vector, which points nowhere: give the vector of a model, or NULL'
                using errcode = 'data_exception';
        end if;
        new.sign_bits := (
            select binary_quantize(new.embedding - m.centre)
            from heirloom.model m
            where m.name = coalesce(new.embedding_model, '') and vector_norm(new.embedding) > 0
        );
    end if;
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_updated_at()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    new.updated_at := now();
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_versions()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    came bigint;
    ghosts bigint;
    keys bigint;
    closed bigint;
    ingesting constant text := nullif(current_setting('heirloom.ingesting', true), '');
    first constant bigint := nullif(ingesting, 'first')::bigint;
begin
    select
        count(*),
        count(*) filter (where coalesce(btrim(i.commit_sha), '') = '' and coalesce(btrim(i.artifact_hash), '') = ''),
        count(distinct i.version_key) filter (where btrim(i.commit_sha) <> '')
    into came, ghosts, keys
    from inserted i
    where i.source_type is not null;

    if ghosts > 0 and heirloom.gate() = 'warn' and (ingesting is null or heirloom.ingest_says('ghost', first)) then
        raise warning 'pgmnemo provenance gate [warn]: INSERT accepted without commit_sha or artifact_hash: % of % row(s); they are ghosts (verified_at is NULL), which recall leaves out',
            ghosts, came;
    end if;
    perform heirloom.count_words_if_stale(n.namespace, n.came)
    from (
        select i.namespace, count(*)::integer as came
        from inserted i
        where i.source_type is not null
        group by i.namespace
        order by i.namespace
    ) n;
    if came > 1000 then
        insert into heirloom.activity (action, namespace, details)
        select 'load', i.namespace, jsonb_build_object('rows', count(*), 'written', count(*))
        from inserted i
        where i.source_type is not null
        group by i.namespace
        order by i.namespace;
    elsif came > 0 then
        insert into heirloom.activity (action, namespace, memory_id, content_sha256, details)
        select 'remember', i.namespace, i.id, sha256(convert_to(i.content, 'UTF8')),
            jsonb_build_object('lesson_id', i.lesson_id)
        from inserted i
        where i.source_type is not null
        order by i.lesson_id;
    end if;
    if keys = 0 then
        return null;
    end if;
    if keys <= 16 then
        perform pg_advisory_xact_lock(k.version_key)
        from (
            select distinct i.version_key
            from inserted i
            where i.source_type is not null and btrim(i.commit_sha) <> ''
            order by 1
        ) k;
    end if;

    update heirloom.memory m
    set valid_to = greatest(n.since, m.t_valid_from),
        t_valid_to = greatest(n.since, m.t_valid_from)
    from (
        select i.namespace, i.version_key, i.role, i.topic, i.commit_sha, i.artifact_hash,
            bool_or(i.verified_at is not null) as verified,
            max(i.t_valid_from) as since
        from inserted i
        where i.source_type is not null
            and btrim(i.commit_sha) <> ''
            and i.is_active
            and i.t_valid_to = 'infinity'
            and (i.expires_at is null or i.expires_at > now())
            and i.state not in ('deprecated', 'superseded', 'archived', 'rejected')
        group by 1, 2, 3, 4, 5, 6
    ) n
    where m.namespace = n.namespace
        and m.version_key = n.version_key
        and m.kind = 'lesson'
        and (m.role, m.topic, m.commit_sha) = (n.role, n.topic, n.commit_sha)
        and (m.artifact_hash is null or n.artifact_hash is null or m.artifact_hash = n.artifact_hash)
        and m.t_valid_to = 'infinity'
        and m.t_valid_from <= n.since
        and (n.verified or m.verified_at is null)
        -- NOT IN, because it is hashed: many siblings may share a key.
        and (m.namespace, m.id) not in (select s.namespace, s.id from inserted s)
        -- Of this transaction, or of one that began after it.
        and (first is null or m.lesson_id < first or age(m.xmin) > 0);
    get diagnostics closed = row_count;
    if closed > 0 and (ingesting is null or heirloom.ingest_says('closed', first)) then
        raise notice 'pgmnemo: bitemporal close+create fired -- closed % prior version(s) with the same project, role, topic and commit_sha',
            closed;
    end if;
    return null;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.memory_width()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', '(pgvector)'
AS $function$
declare
    room constant integer := 1024;
    known integer;
    kept integer;
begin
    select w.dimension into kept
    from heirloom.model_width w
    where w.namespace = new.namespace and w.model = new.embedding_model
    for share;
    if tg_op = 'UPDATE' and new.namespace <> old.namespace then
        select w.dimension into known
        from heirloom.model_width w
        where w.namespace = old.namespace and w.model = new.embedding_model
            and new.embedding_model = old.embedding_model
            and new.embedding is not distinct from old.embedding;
    end if;
    if kept is null then
        if known is null and vector_norm(subvector(new.embedding, room, 1)) > 0 then
            known := room;
        end if;
        if known is not null then
            kept := heirloom.model_width(new.namespace, new.embedding_model, known);
        end if;
    end if;
    if kept < room and vector_norm(subvector(new.embedding, kept + 1, room - kept)) > 0 then
        select max(x.at) into known
        from unnest(new.embedding::real[]) with ordinality x(value, at)
        where x.value <> 0;
        perform heirloom.refuse_width('embedding', known, new.embedding_model, new.namespace, kept);
    elsif known < kept then
        perform heirloom.refuse_width('embedding', known, new.embedding_model, new.namespace, kept);
    end if;
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.model_width(in_namespace text, in_model text, in_dimension integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
declare
    kept integer;
begin
    loop
        select w.dimension into kept
        from heirloom.model_width w
        where w.namespace = in_namespace and w.model = in_model
        for share;
        if found then
            return kept;
        end if;
        insert into heirloom.model_width (namespace, model, dimension)
        values (in_namespace, in_model, in_dimension)
        on conflict (namespace, model) do nothing;
    end loop;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.namespaces_in_sight()
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
AS $function$
begin
    return array(
        with recursive seen as (
            (select m.namespace from heirloom.memory m order by m.namespace limit 1)
            union all
            select (
                select m.namespace from heirloom.memory m where m.namespace > s.namespace order by m.namespace limit 1
            )
            from seen s
            where s.namespace is not null
        )
        select s.namespace from seen s where s.namespace is not null
    );
end
$function$

CREATE OR REPLACE FUNCTION heirloom.note_transition(namespace text, memory_id uuid, from_state text, to_state text, actor text, reason text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    insert into heirloom.state_transition (namespace, memory_id, from_state, to_state, actor, reason)
    values (
        note_transition.namespace, note_transition.memory_id, note_transition.from_state, note_transition.to_state,
        coalesce(heirloom.redact(note_transition.actor), session_user), note_transition.reason
    );
    insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256, details)
    select coalesce(heirloom.redact(note_transition.actor), session_user), 'transition', m.namespace, m.id,
        sha256(convert_to(m.content, 'UTF8')),
        jsonb_strip_nulls(jsonb_build_object(
            'from', note_transition.from_state, 'to', note_transition.to_state, 'reason', heirloom.redact(note_transition.reason)
        ))
    from heirloom.memory m
    where m.namespace = note_transition.namespace and m.id = note_transition.memory_id;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.open_namespaces(namespaces text[], at timestamp with time zone)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    closed constant text[] := array(
        select x.name
        from heirloom.namespace x
        where x.name = any (open_namespaces.namespaces)
            and x.expires_at <= greatest(open_namespaces.at, statement_timestamp())
    );
begin
    if cardinality(open_namespaces.namespaces) = 1 and cardinality(closed) = 0 then
        return array_remove(open_namespaces.namespaces, null);
    end if;
    return array(
        select distinct n.name collate "C"
        from unnest(open_namespaces.namespaces) n(name)
        where n.name <> all (closed)
        order by 1
    );
end
$function$

CREATE OR REPLACE FUNCTION heirloom.owner_dumps()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
begin
    if current_setting('heirloom.dump', true) = 'on' and current_user = session_user then
        return true;
    end if;
    if current_setting('application_name') = 'pg_dump' then
        raise exception 'This dump would hold no memory: row-level security holds the owner of the tables, too'
            using errcode = 'insufficient_privilege',
                hint = 'Log in as the owner and set PGOPTIONS=''-c heirloom.dump=on'' (docs/guides/backup.md).';
    end if;
    return false;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.project_of(namespace text)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
begin
    if project_of.namespace ~ '^project:(0|-?[1-9][0-9]{0,9})$'
        and substr(project_of.namespace, 9)::bigint between -2147483648 and 2147483647
    then
        return substr(project_of.namespace, 9)::integer;
    end if;
    return null;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.question_vector(lexemes text[], namespaces text[], OUT weights sparsevec, OUT content_words text[], OUT knows_one boolean)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', '(pgvector)'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
AS $function$
declare
    counted double precision;
begin
    select sum(f.documents) into counted
    from heirloom.frequency f
    where f.namespace = any (question_vector.namespaces)
    having sum(f.documents) >= 10;
    -- The list of function words is spelt out where it is used: as a constant it is looked up, not gone through.
    select ('{' || string_agg(e.at || ':' || e.weight, ',') || '}/536870912')::sparsevec,
        array_agg(e.content_word) filter (where e.content_word is not null), bool_or(e.knows_one)
    into weights, content_words, knows_one
    from (
        select (hashtext(w.lexeme) & 536870911) + 1 as at,
            max(
                case when w.is_function_word then 0.15::double precision else 1 end
                * case
                    when counted is null then 1
                    else power(
                        ln(1 + (greatest(counted, w.df) - w.df + 0.5) / (w.df + 0.5)),
                        case when cardinality(heirloom.function_words()) = 0 then 1.3::double precision else 1 end
                    )
                end
            )::real as weight,
            max(w.lexeme) filter (where not w.is_function_word) as content_word,
            bool_or(not w.is_function_word and w.df > 0) as knows_one
        from (
            select l.lexeme, l.lexeme = any (heirloom.function_words()) as is_function_word,
                coalesce(x.df, 0)::double precision as df
            from unnest(question_vector.lexemes) l(lexeme)
            left join (
                select x.lexeme, sum(x.df) as df
                from heirloom.lexeme x
                where x.namespace = any (question_vector.namespaces) and x.lexeme = any (question_vector.lexemes)
                group by x.lexeme
            ) x on x.lexeme = l.lexeme
        ) w
        group by 1
    ) e;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.rare_words(lexemes text[], content_words text[], in_namespace text, at_least integer)
 RETURNS tsquery
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
begin
    return (
        -- Quoted, so that nothing in a lexeme is read as syntax.
        select string_agg('''' || replace(replace(r.lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
        from (
            select w.lexeme, w.df, sum(w.df) over (order by w.df, w.lexeme) - w.df as before
            from (
                select l.lexeme, coalesce(x.df, 0) as df
                from unnest(case when cardinality(content_words) > 0 then content_words else lexemes end) l(lexeme)
                left join heirloom.lexeme x on x.namespace = in_namespace and x.lexeme = l.lexeme
            ) w
        ) r
        where r.before + r.df <= 2000 or r.before < at_least
    );
end
$function$

CREATE OR REPLACE FUNCTION heirloom.reason_credentials()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    new.reason := heirloom.redact(new.reason);
    return new;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.recall(query_text text, query_embedding vector, namespaces text[], k integer DEFAULT 10, kinds text[] DEFAULT NULL::text[], include_unverified boolean DEFAULT false, query_model text DEFAULT NULL::text, at timestamp with time zone DEFAULT statement_timestamp(), role text DEFAULT NULL::text, exclude_dag text DEFAULT NULL::text, content_types text[] DEFAULT NULL::text[], also_states text[] DEFAULT NULL::text[], use_sessions boolean DEFAULT true, query_dimension integer DEFAULT NULL::integer)
 RETURNS TABLE(namespace text, id uuid, created_at timestamp with time zone, score double precision, lexical double precision, semantic double precision, context double precision, boost double precision, similarity double precision)
 LANGUAGE plpgsql
 STABLE ROWS 10
 SET search_path TO 'pg_catalog', '(pgvector)'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
AS $function$
#variable_conflict use_column
declare
    -- Each of its own: a field of a record is unpacked again for every row that is compared with it.
    lexemes text[];
    required tsquery;
    refused tsquery;
    weights sparsevec;
    content_words text[];
    knows_one boolean;
    signs bit(1024);
    dimensions double precision;
    -- The rows in their order, a number each: one array a column.
    places integer[];
    ids uuid[];
    times timestamptz[];
    sessions bigint[];
    lexicals double precision[];
    semantics double precision[];
    boosts double precision[];
    best_lexical double precision;
    best_semantic double precision;
    last integer;
    of_words double precision;
    of_meaning double precision;
    -- The numbers worth scoring, what neighbours give them, and what no other row's match exceeds.
    numbers integer[];
    lifts double precision[];
    contexts double precision[];
    beyond double precision;
    odd record;
begin
    if k < 0 then
        raise exception 'k must not be negative: found %, accepted are 0, a positive number, and NULL for all', k
            using errcode = '2201W';
    end if;
    if vector_dims(query_embedding) <> 1024 then
        raise exception 'query_embedding has % dimensions: accepted are the 1024 of this store, and NULL to ask by text',
            vector_dims(query_embedding)
            using errcode = 'data_exception';
    end if;
    if vector_norm(query_embedding) = 0 then
        raise exception 'query_embedding is a zero vector, which points nowhere: accepted are the vector of a model, and NULL to ask by text'
            using errcode = 'data_exception';
    end if;
    if namespaces is null then
        namespaces := heirloom.namespaces_in_sight();
    end if;
    namespaces := heirloom.open_namespaces(namespaces, at);
    if query_embedding is not null and query_model is not null then
        select w.namespace, w.dimension into odd
        from unnest(namespaces) n(name)
        join heirloom.model_width w on w.namespace = n.name and w.model = query_model
        where w.dimension <> query_dimension
            or (
                w.dimension < 1024
                and vector_norm(subvector(query_embedding, w.dimension + 1, 1024 - w.dimension)) > 0
            )
        limit 1;
        if found then
            perform heirloom.refuse_width(
                'query_embedding',
                coalesce(
                    query_dimension,
                    (
                        select max(x.at)::integer
                        from unnest(query_embedding::real[]) with ordinality x(value, at)
                        where x.value <> 0
                    )
                ),
                query_model, odd.namespace, odd.dimension
            );
        end if;
    end if;
    select t.lexemes, t.required, t.refused into lexemes, required, refused from heirloom.recall_terms(query_text) t;
    select v.weights, v.content_words, v.knows_one
    into weights, content_words, knows_one
    from heirloom.question_vector(lexemes, namespaces) v;
    if query_embedding is not null then
        select binary_quantize(query_embedding - c.centre), c.dimension
        into signs, dimensions
        from heirloom.recall_centre(query_model) c;
    end if;
    if weights is null and query_embedding is null then
        return;
    end if;

    if required is not null and not exists (
        select
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where m.content_tsv @@ required
            and heirloom.is_recallable(
                m, at, include_unverified, kinds, recall.role, exclude_dag, content_types, also_states
            )
    ) then
        required := null;
    end if;

    if exists (select from heirloom.frequency f where f.namespace = any (namespaces) and f.is_indexed) then
        return query
        select w.*
        from heirloom.recall_wide(
            required, refused, lexemes, weights, content_words, knows_one,
            query_embedding, signs, dimensions, query_model, namespaces, k, kinds, include_unverified, at, role,
            exclude_dag, content_types, also_states, use_sessions
        ) w;
        return;
    end if;

    -- One pass along memory_session. The number of a session carries its namespace; its lowest bit says that there is none.
    select array_agg(s.place) filter (where cardinality(namespaces) > 1), array_agg(s.id), array_agg(s.created_at), array_agg(s.session),
        array_agg(s.l) filter (where weights is not null), array_agg(s.s) filter (where query_embedding is not null),
        array_agg(s.boost), nullif(max(s.l), 0), nullif(greatest(max(s.s), 0), 0), count(*)
    into places, ids, times, sessions, lexicals, semantics, boosts, best_lexical, best_semantic, last
    from (
        select u.name, u.place::integer, hashtext(u.name) as seed, hashtextextended(u.name, 0) | 1 as no_session
        from unnest(namespaces) with ordinality u(name, place)
        offset 0
    ) n
    cross join lateral (
        select n.place, m.id, m.created_at,
            case
                when m.source_run_id is null then n.no_session
                else hashtextextended(m.source_run_id, n.seed) & -2
            end as session,
            -(coalesce(m.word_vector, m.word_vector_long) <#> weights) as l,
            case
                when query_embedding is null
                    or (query_model is not null and m.embedding_model <> query_model) then null
                when signs is not null and m.sign_bits is not null then 1 - 2 * (m.sign_bits <~> signs) / dimensions
                else nullif(1 - (m.embedding <=> query_embedding), 'NaN')
            end as s,
            heirloom.recall_boost(m.pin, m.importance, m.state) as boost
        from heirloom.memory m
        where m.namespace = n.name
            and heirloom.is_recallable(
                m, at, include_unverified, kinds, recall.role, exclude_dag, content_types, also_states
            )
            and (required is null or m.content_tsv @@ required)
            and (refused is null or not m.content_tsv @@ refused)
        order by m.source_run_id, m.created_at, m.id
    ) s;
    if last = 0 then
        return;
    end if;
    select t.of_words, t.of_meaning, t.numbers, t.lifts, t.beyond
    into of_words, of_meaning, numbers, lifts, beyond
    from heirloom.recall_top(
        lexicals, semantics, best_lexical, best_semantic, knows_one, content_words, namespaces
    ) t;

    select array_agg(c.number), array_agg(c.context)
    into numbers, contexts
    from (
        select u.number, sum(u.context) as context
        from (
            select unnest(numbers) as number, 0::double precision as context
            union all
            select a.number + d.step, d.weight * a.lift
            from unnest(numbers, lifts) a(number, lift)
            cross join (values (1, 1, 0.7::double precision), (2, 1, 0.4), (-1, -1, 0.4), (-2, -1, 0.2)) d(step, half, weight)
            where use_sessions
                and a.lift > 0
                and a.number + d.step between 1 and last
                and sessions[a.number + d.step] = sessions[a.number]
                and times[a.number + d.half] <> times[a.number]
                and (d.step = d.half or times[a.number + d.step] <> times[a.number + d.half])
                and (
                    sessions[a.number] & 1 = 0
                    or (
                        abs(extract(epoch from times[a.number + d.half] - times[a.number])) <= 1800
                        and abs(extract(epoch from times[a.number + d.step] - times[a.number + d.half])) <= 1800
                    )
                )
        ) u
        group by u.number
    ) c;

    return query
    select f.namespace, f.id, f.created_at, f.score, f.lexical, f.semantic, f.context, f.boost, f.similarity
    from (
        select namespaces[coalesce(places[b.number], 1)] as namespace, ids[b.number] as id, times[b.number] as created_at, b.score, b.lexical, b.semantic, b.context,
            boosts[b.number] as boost,
            b.context > 0 and sessions[b.number] & 1 = 0 as is_neighbour,
            case
                when query_embedding is not null then (
                    select nullif(1 - (m.embedding <=> query_embedding), 'NaN')
                    from heirloom.memory m
                    where m.namespace = namespaces[coalesce(places[b.number], 1)] and m.id = ids[b.number]
                        and (query_model is null or coalesce(m.embedding_model, query_model) = query_model)
                )
            end as similarity
        from heirloom.recall_best(
            numbers, contexts, beyond, lexicals, semantics, boosts, times, ids, sessions, of_words, of_meaning, k
        ) b
    ) f
    -- Ranked beyond a right angle around the mean, and yet alike; what points away is no match.
    where f.lexical + f.semantic > 0 or f.is_neighbour or f.similarity > 0;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.recall_best(numbers integer[], contexts double precision[], beyond double precision, lexicals double precision[], semantics double precision[], boosts double precision[], times timestamp with time zone[], ids uuid[], sessions bigint[], of_words double precision, of_meaning double precision, k integer, OUT number integer, OUT score double precision, OUT lexical double precision, OUT semantic double precision, OUT context double precision)
 RETURNS SETOF record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
#variable_conflict use_column
declare
    highest_boost constant double precision := 0.07;
    best integer[];
    scores double precision[];
begin
    loop
        select array_agg(r.number order by r.score desc, times[r.number] desc nulls last, ids[r.number]),
            array_agg(r.score order by r.score desc, times[r.number] desc nulls last, ids[r.number])
        into best, scores
        from (
            select f.number, round((f.match + f.context + boosts[f.number]) * 1e9) / 1e9 as score
            from (
                select c.number, c.context,
                    coalesce(lexicals[c.number] * of_words, 0) + coalesce(greatest(semantics[c.number], 0) * of_meaning, 0) as match
                from unnest(numbers, contexts) c(number, context)
                offset 0
            ) f
            where f.match > 0
                or (f.context > 0 and sessions[f.number] & 1 = 0)
                or (lexicals is null and semantics[f.number] is not null)
            order by score desc, times[f.number] desc nulls last, ids[f.number]
            limit k
        ) r;
        exit when beyond is null or (beyond = 0 and lexicals is not null) or scores[k] > beyond + highest_boost;
        select array_agg(a.number), array_agg(coalesce(c.context, 0))
        into numbers, contexts
        from generate_subscripts(ids, 1) a(number)
        left join unnest(numbers, contexts) c(number, context) on c.number = a.number;
        beyond := null;
    end loop;
    return query
    select b.number, b.score, coalesce(lexicals[b.number] * of_words, 0),
        coalesce(greatest(semantics[b.number], 0) * of_meaning, 0), contexts[array_position(numbers, b.number)]
    from unnest(best, scores) b(number, score);
end
$function$

CREATE OR REPLACE FUNCTION heirloom.recall_boost(pin boolean, importance smallint, state text)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((((CASE WHEN pin THEN 3 ELSE 0 END + (importance - 3)) + CASE state WHEN 'canonical'::text THEN 2 WHEN 'validated'::text THEN 1 WHEN 'conflicted'::text THEN '-2'::integer ELSE 0 END))::double precision / (100)::double precision)

CREATE OR REPLACE FUNCTION heirloom.recall_centre(query_model text)
 RETURNS TABLE(centre vector, dimension integer)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
    select m.centre, m.dimension
    from heirloom.model m
    where query_model is null or m.name = query_model
    order by m.name <> '', m.vectors desc, m.name
    limit 1
$function$

CREATE OR REPLACE FUNCTION heirloom.recall_ghosts(query_text text, query_embedding vector, namespaces text[], kinds text[] DEFAULT NULL::text[], query_model text DEFAULT NULL::text, at timestamp with time zone DEFAULT statement_timestamp(), role text DEFAULT NULL::text, exclude_dag text DEFAULT NULL::text, content_types text[] DEFAULT NULL::text[])
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', '(pgvector)'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
AS $function$
declare
    question record;
    weights sparsevec;
begin
    if namespaces is null then
        namespaces := heirloom.namespaces_in_sight();
    end if;
    namespaces := heirloom.open_namespaces(namespaces, at);
    -- Most stores have none, and then nothing else needs to be asked.
    if not exists (
        select
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where m.kind = 'lesson' and m.verified_at is null
    ) then
        return 0;
    end if;
    select * into question from heirloom.recall_terms(query_text);
    select q.weights into weights from heirloom.question_vector(question.lexemes, namespaces) q;
    return (
        select count(*)
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where m.kind = 'lesson'
            and m.verified_at is null
            and heirloom.is_recallable(m, at, true, kinds, recall_ghosts.role, exclude_dag, content_types, null)
            and (question.refused is null or not m.content_tsv @@ question.refused)
            and case
                when weights is not null then coalesce(m.word_vector, m.word_vector_long) <#> weights < 0
                else (query_model is null or m.embedding_model is null or m.embedding_model = query_model)
                    and nullif(1 - (m.embedding <=> query_embedding), 'NaN') > 0
            end
    );
end
$function$

CREATE OR REPLACE FUNCTION heirloom.recall_neighbours(anchors tid[], lifts double precision[], at timestamp with time zone, include_unverified boolean, kinds text[], role text, exclude_dag text, content_types text[], also_states text[], required tsquery, refused tsquery)
 RETURNS TABLE(place tid, context double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict use_column
begin
    return query
    with anchor as materialized (
        select l.number, l.lift, m.namespace, m.source_run_id as run, m.created_at, m.id
        from unnest(anchors, lifts) with ordinality l(place, lift, number)
        join heirloom.memory m on m.ctid = l.place
        where l.lift > 0
    ),
    near as (
        select a.number, 1 as way, a.lift, a.run, a.created_at as since, f.place, f.created_at, f.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where m.namespace = a.namespace and m.source_run_id = a.run collate "default"
                and (m.created_at, m.id) > (a.created_at, a.id)
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at, m.id
            limit 2
        ) f
        union all
        select a.number, -1, a.lift, a.run, a.created_at, b.place, b.created_at, b.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where m.namespace = a.namespace and m.source_run_id = a.run collate "default"
                and (m.created_at, m.id) < (a.created_at, a.id)
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at desc, m.id desc
            limit 2
        ) b
        union all
        select a.number, 1, a.lift, a.run, a.created_at, f.place, f.created_at, f.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where a.run is null and m.namespace = a.namespace and m.source_run_id is null
                and (m.created_at, m.id) > (a.created_at, a.id) and m.created_at <= a.created_at + interval '1 hour'
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at, m.id
            limit 2
        ) f
        union all
        select a.number, -1, a.lift, a.run, a.created_at, b.place, b.created_at, b.id
        from anchor a
        cross join lateral (
            select m.ctid as place, m.created_at, m.id
            from heirloom.memory m
            where a.run is null and m.namespace = a.namespace and m.source_run_id is null
                and (m.created_at, m.id) < (a.created_at, a.id) and m.created_at >= a.created_at - interval '1 hour'
                and heirloom.is_recallable(m, at, include_unverified, kinds, recall_neighbours.role, exclude_dag, content_types, also_states)
                and (required is null or m.content_tsv @@ required)
                and (refused is null or not m.content_tsv @@ refused)
            order by m.created_at desc, m.id desc
            limit 2
        ) b
    )
    select r.place, sum(r.lift * case r.way * r.step when 1 then 0.7::double precision when 2 then 0.4 when -1 then 0.4 else 0.2 end)
    from (
        select s.place, s.lift, s.way, s.step,
            bool_and(
                s.created_at <> s.before and (s.run is not null or abs(extract(epoch from s.created_at - s.before)) <= 1800)
            ) over (partition by s.number, s.way order by s.step) as reached
        from (
            select n.*, row_number() over along as step, lag(n.created_at, 1, n.since) over along as before
            from near n
            window along as (
                partition by n.number, n.way
                order by case n.way when 1 then n.created_at end, case n.way when 1 then n.id end,
                    case n.way when -1 then n.created_at end desc, case n.way when -1 then n.id end desc
            )
        ) s
    ) r
    where r.reached
    group by r.place;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.recall_terms(query_text text, OUT lexemes text[], OUT required tsquery, OUT refused tsquery)
 RETURNS record
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    config constant regconfig := heirloom.text_config();
    said text := left(query_text, 65536);
    minus constant text := '(^|\s)-("[^"]*"|[^\s"[:digit:][:punct:]][^\s"[:punct:]][^\s"]*)';
    -- A phrase beside OR is one of several that may be there, and so is none that must.
    demanded text;
    phrase record;
begin
    lexemes := '{}';
    if said is null then
        return;
    end if;
    if strpos(said, '-') > 0 and said ~ minus then
        for phrase in
            select phraseto_tsquery(config, heirloom.searchable(f.found[2], false)) as words
            from regexp_matches(said, minus, 'g') f(found)
        loop
            if numnode(phrase.words) > 0 then
                refused := case when refused is null then phrase.words else refused || phrase.words end;
            end if;
        end loop;
        said := regexp_replace(said, minus, ' ', 'g');
    end if;
    demanded := said;
    if strpos(said, ' OR ') > 0 then
        demanded := regexp_replace(said, '("[^"]+"|\S+)(\s+OR\s+("[^"]+"|\S+))+', ' ', 'g');
    end if;
    if strpos(demanded, '"') > 0 then
        for phrase in
            select phraseto_tsquery(config, heirloom.searchable(f.found[1], false)) as words
            from regexp_matches(demanded, '"([^"]+)"', 'g') f(found)
        loop
            if numnode(phrase.words) > 0 then
                required := case when required is null then phrase.words else required && phrase.words end;
            end if;
        end loop;
    end if;
    if strpos(said, ' OR ') > 0 then
        said := replace(said, ' OR ', ' ');
    end if;
    lexemes := tsvector_to_array(to_tsvector(config, heirloom.searchable(said)));
    -- Of a script without spaces a pair asks; a single character asks only where it stands alone.
    if octet_length(said) <> length(said) then
        lexemes := array(
            select a.lexeme
            from unnest(lexemes) a(lexeme)
            where length(a.lexeme) > 1
                or ascii(a.lexeme) < 3584
                or not exists (select from unnest(lexemes) b(lexeme) where length(b.lexeme) = 2 and strpos(b.lexeme, a.lexeme) > 0)
        );
    end if;
    if cardinality(lexemes) > 1024 then
        lexemes := array(
            select t.lexeme
            from unnest(to_tsvector(config, heirloom.searchable(said))) t
            order by t.positions[1], t.lexeme
            limit 1024
        );
    end if;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.recall_top(lexicals double precision[], semantics double precision[], best_lexical double precision, best_semantic double precision, knows_one boolean, content_words text[], namespaces text[], OUT of_words double precision, OUT of_meaning double precision, OUT numbers integer[], OUT lifts double precision[], OUT beyond double precision)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
    words_count_for constant double precision := case
        when best_semantic is null then 1
        when best_lexical is null then 0
        when knows_one or heirloom.says_something(content_words, namespaces) then 0.6
        else 0
    end;
begin
    of_words := coalesce(words_count_for / best_lexical, 0);
    of_meaning := coalesce((1 - words_count_for) / best_semantic, 0);
    with top as materialized (
        select o.number, o.match,
            o.match - greatest(0.3, nth_value(o.match, 41) over (rows between unbounded preceding and unbounded following)) as lift
        from (
            select f.number, coalesce(f.l * of_words, 0) + coalesce(greatest(f.s, 0) * of_meaning, 0) as match
            from (
                select generate_series(1, greatest(cardinality(lexicals), cardinality(semantics))) as number,
                    unnest(lexicals) as l, unnest(semantics) as s
            ) f
            order by match desc, f.number
            limit 41
        ) o
    )
    select array_agg(t.number), array_agg(t.lift), (select min(t.match) from top t having count(*) = 41)
    into numbers, lifts, beyond
    from top t;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.recall_wide(required tsquery, refused tsquery, lexemes text[], weights sparsevec, content_words text[], knows_one boolean, query_embedding vector, signs bit, dimensions double precision, query_model text, namespaces text[], k integer, kinds text[], include_unverified boolean, at timestamp with time zone, role text, exclude_dag text, content_types text[], also_states text[], use_sessions boolean)
 RETURNS TABLE(namespace text, id uuid, created_at timestamp with time zone, score double precision, lexical double precision, semantic double precision, context double precision, boost double precision, similarity double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', '(pgvector)'
 SET jit TO 'off'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'on'
 SET plan_cache_mode TO 'force_generic_plan'
 SET "hnsw.ef_search" TO '200'
 SET "hnsw.iterative_scan" TO 'relaxed_order'
AS $function$
#variable_conflict use_column
declare
    here text;
    found tid[];
    near tid[];
    words tsquery;
    at_least integer;
    most integer;
    places tid[] := '{}';
    asked constant integer := least(coalesce(k, 8000), 8000);
    wanted constant integer := greatest(100, asked);
    of_signs constant bit(1024) := signs;
    -- The rows that were read, a number each: one array a column.
    scopes text[];
    ids uuid[];
    times timestamptz[];
    sessions bigint[];
    lexicals double precision[];
    semantics double precision[];
    boosts double precision[];
    best_lexical double precision;
    best_semantic double precision;
    last integer;
    of_words double precision;
    of_meaning double precision;
    -- The numbers worth scoring, what neighbours give them, and what no other row's match exceeds.
    numbers integer[];
    lifts double precision[];
    contexts double precision[];
    beyond double precision;
    lifted_numbers integer[];
    lifted_contexts double precision[];
    unread tid[];
    unread_contexts double precision[];
begin
    foreach here in array namespaces loop
        if not exists (select from heirloom.frequency f where f.namespace = here and f.is_indexed) then
            found := array(select m.ctid from heirloom.memory m where m.namespace = here);
        else
            found := '{}';
            if weights is not null then
                -- Any word may match: where the rarest leave fewer than are asked for, commoner ones fill up.
                foreach at_least in array array[1, asked] loop
                    words := coalesce(required, heirloom.rare_words(lexemes, content_words, here, at_least));
                    if refused is not null then
                        words := words && !! refused;
                    end if;
                    most := case at_least when 1 then 8000 else 2000 end;
                    if row_security_active('heirloom.memory') then
                        near := heirloom.word_candidates(
                            words, here, most, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types,
                            also_states
                        );
                    else
                        execute format(
                            'select array(
                                 select m.ctid
                                 from heirloom.memory m
                                 where m.namespace = %L
                                     and m.content_tsv @@ $1
                                     and heirloom.is_recallable(m, $3, $4, $5, $6, $7, $8, $9)
                                 limit $2
                             )',
                            here
                        )
                        into near
                        using words, most, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types,
                            also_states;
                    end if;
                    found := found || near;
                    exit when required is not null or cardinality(found) >= asked;
                end loop;
            end if;
            if of_signs is not null then
                execute format(
                    'select array(
                         select m.ctid
                         from heirloom.memory m
                         where m.namespace = %L
                             and heirloom.is_recallable(m, $3, $4, $5, $6, $7, $8, $9)
                             and ($10 is null or m.embedding_model is null or m.embedding_model = $10)
                         order by m.sign_bits <~> $1
                         limit $2
                     )',
                    here
                )
                into near
                using of_signs, wanted, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types,
                    also_states, query_model;
                found := found || near;
            elsif query_embedding is not null then
                -- A model of so few vectors that it has no centre yet: its rows are few, and asked one by one.
                found := found || array(
                    select m.ctid
                    from heirloom.memory m
                    where m.namespace = here
                        and m.embedding is not null
                        and heirloom.is_recallable(
                            m, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types, also_states
                        )
                        and (query_model is null or m.embedding_model is null or m.embedding_model = query_model)
                    order by m.embedding <=> query_embedding
                    limit wanted
                );
            end if;
        end if;
        places := places || found;
    end loop;

    select array_agg(s.place), array_agg(s.namespace), array_agg(s.id), array_agg(s.created_at), array_agg(s.session),
        array_agg(s.l), array_agg(s.s), array_agg(s.boost), nullif(max(s.l), 0), nullif(greatest(max(s.s), 0), 0), count(*)
    into places, scopes, ids, times, sessions, lexicals, semantics, boosts, best_lexical, best_semantic, last
    from (
        select m.ctid as place, m.namespace, m.id, m.created_at,
            case
                when m.source_run_id is null then 1
                else hashtextextended(m.source_run_id, 0) & -2
            end as session,
            -(coalesce(m.word_vector, m.word_vector_long) <#> weights) as l,
            case
                when query_embedding is null or (query_model is not null and m.embedding_model <> query_model) then null
                when of_signs is not null and m.sign_bits is not null then 1 - 2 * (m.sign_bits <~> of_signs) / dimensions
                else nullif(1 - (m.embedding <=> query_embedding), 'NaN')
            end as s,
            heirloom.recall_boost(m.pin, m.importance, m.state) as boost
        from heirloom.memory m
        where m.ctid = any (places)
            and heirloom.is_recallable(m, at, include_unverified, kinds, recall_wide.role, exclude_dag, content_types, also_states)
            and (required is null or m.content_tsv @@ required)
            and (refused is null or not m.content_tsv @@ refused)
    ) s;
    if last = 0 then
        return;
    end if;
    select t.of_words, t.of_meaning, t.numbers, t.lifts, t.beyond
    into of_words, of_meaning, numbers, lifts, beyond
    from heirloom.recall_top(
        lexicals, semantics, best_lexical, best_semantic, knows_one, content_words, namespaces
    ) t;

    if use_sessions then
        select array_agg(n.place), array_agg(n.context)
        into unread, lifted_contexts
        from heirloom.recall_neighbours(
            array(select places[a.number] from unnest(numbers) a(number)), lifts, at, include_unverified, kinds,
            recall_wide.role, exclude_dag, content_types, also_states, required, refused
        ) n;
        -- A full join goes through each side once, however many there are.
        select array_agg(j.number) filter (where j.number is not null), array_agg(j.context) filter (where j.number is not null),
            array_agg(j.place order by j.place) filter (where j.number is null),
            array_agg(j.context order by j.place) filter (where j.number is null)
        into lifted_numbers, lifted_contexts, unread, unread_contexts
        from (
            select p.number::integer as number, l.place, l.context
            from unnest(places) with ordinality p(place, number)
            full join unnest(unread, lifted_contexts) l(place, context) on l.place = p.place
            offset 0
        ) j
        where j.place is not null;
        if unread is not null then
            select scopes || array_agg(s.namespace), ids || array_agg(s.id), times || array_agg(s.created_at),
                sessions || array_agg(s.session), lexicals || array_agg(s.l), semantics || array_agg(s.s),
                boosts || array_agg(s.boost), lifted_numbers || array_agg(last + s.number), lifted_contexts || unread_contexts
            into scopes, ids, times, sessions, lexicals, semantics, boosts, lifted_numbers, lifted_contexts
            from (
                select r.*, row_number() over (order by r.place)::integer as number
                from (
                    select m.ctid as place, m.namespace, m.id, m.created_at,
            case
                when m.source_run_id is null then 1
                else hashtextextended(m.source_run_id, 0) & -2
            end as session,
            -(coalesce(m.word_vector, m.word_vector_long) <#> weights) as l,
            case
                when query_embedding is null or (query_model is not null and m.embedding_model <> query_model) then null
                when of_signs is not null and m.sign_bits is not null then 1 - 2 * (m.sign_bits <~> of_signs) / dimensions
                else nullif(1 - (m.embedding <=> query_embedding), 'NaN')
            end as s,
            heirloom.recall_boost(m.pin, m.importance, m.state) as boost
        from heirloom.memory m
                    where m.ctid = any (unread)
                ) r
                order by r.place
            ) s;
        end if;
    end if;
    select array_agg(n.number), array_agg(n.context)
    into numbers, contexts
    from (
        select l.number, sum(coalesce(l.context, 0)) as context
        from (
            select unnest(numbers) as number, 0::double precision as context
            union all
            select unnest(lifted_numbers), unnest(lifted_contexts)
        ) l
        group by l.number
    ) n;

    return query
    select f.namespace, f.id, f.created_at, f.score, f.lexical, f.semantic, f.context, f.boost, f.similarity
    from (
        select scopes[b.number] as namespace, ids[b.number] as id, times[b.number] as created_at, b.score, b.lexical, b.semantic, b.context, boosts[b.number] as boost,
            b.context > 0 and sessions[b.number] & 1 = 0 as is_neighbour,
            case
                when query_embedding is not null then (
                    select nullif(1 - (m.embedding <=> query_embedding), 'NaN')
                    from heirloom.memory m
                    where m.namespace = scopes[b.number] and m.id = ids[b.number]
                        and (query_model is null or coalesce(m.embedding_model, query_model) = query_model)
                )
            end as similarity
        from heirloom.recall_best(
            numbers, contexts, beyond, lexicals, semantics, boosts, times, ids, sessions, of_words, of_meaning, k
        ) b
    ) f
    -- Ranked beyond a right angle around the mean, and yet alike; what points away is no match.
    where f.lexical + f.semantic > 0 or f.is_neighbour or f.similarity > 0;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.redact(said text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog'
AS $function$
declare
    now_said text := said;
    small text := lower(said collate "C");
    before text;
    rule record;
    place text;
begin
    if not heirloom.may_hold_credential(said) then
        return said;
    end if;
    for pass in 1..4 loop
        before := now_said;
        for rule in select r.* from heirloom.redaction_rules() r order by r.n loop
            -- Few patterns are compiled for one text: a session keeps 32 of them.
            continue when rule.hints <> '{}'
                and not exists (select from unnest(rule.hints) h (hint) where strpos(small, h.hint) > 0);
            continue when now_said !~ rule.pattern;
            place := '[REDACTED:' || rule.label || ']';
            if rule.must = '{}' and rule.never = '{}' and rule.not_after is null then
                now_said := regexp_replace(now_said, rule.pattern, '\1' || place, 'g');
            else
                select string_agg(
                    g.gap || coalesce(
                        m.groups[1] || case
                            when exists (select from unnest(rule.must) c (must) where m.groups[2] !~ c.must)
                                or exists (select from unnest(rule.never) c (never) where m.groups[2] ~ c.never)
                                or m.groups[1] ~ rule.not_after
                            then m.groups[2]
                            else place
                        end,
                        ''
                    ),
                    '' order by g.n
                ) into now_said
                from regexp_split_to_table(now_said, rule.pattern) with ordinality g (gap, n)
                left join regexp_matches(now_said, rule.pattern, 'g') with ordinality m (groups, n) on m.n = g.n;
            end if;
            small := lower(now_said collate "C");
        end loop;
        exit when now_said = before;
    end loop;
    return now_said;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.redact_json(said jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog'
AS $function$
declare
    entry record;
    name text;
    free text;
    twin integer;
    word text;
    line text;
    made jsonb := '{}';
begin
    case jsonb_typeof(said)
        when 'string' then
            return to_jsonb(heirloom.redact(said #>> '{}'));
        when 'array' then
            return coalesce(
                (
                    select jsonb_agg(heirloom.redact_json(e.item) order by e.n)
                    from jsonb_array_elements(said) with ordinality e (item, n)
                ),
                '[]'
            );
        when 'object' then
            for entry in
                select e.key, heirloom.redact(e.key) as clean, e.value
                from jsonb_each(said) with ordinality e (key, value, n)
                order by heirloom.redact(e.key) <> e.key, e.n
            loop
                if jsonb_typeof(entry.value) = 'string' then
                    word := heirloom.redact(entry.value #>> '{}');
                    if word = entry.value #>> '{}' and word <> '' and word !~ '[ \t\r\n]' then
                        line := heirloom.redact(entry.key || '=' || word);
                        if starts_with(line, entry.clean || '=') then
                            word := substr(line, length(entry.clean) + 2);
                        elsif line <> entry.key || '=' || word then
                            word := line;
                        end if;
                    end if;
                    entry.value := to_jsonb(word);
                else
                    entry.value := heirloom.redact_json(entry.value);
                end if;
                name := entry.clean;
                free := name;
                twin := 1;
                while made ? free loop
                    twin := twin + 1;
                    free := name || ' (' || twin || ')';
                end loop;
                made := made || jsonb_build_object(free, entry.value);
            end loop;
            return made;
        else
            return said;
    end case;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.redaction_rules()
 RETURNS TABLE(n integer, label text, hints text[], pattern text, must text[], never text[], not_after text)
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog'
AS $function$
    values
    (
        1,
        'API_KEY',
        '{_api_key}'::text[],
        '(^|[^A-Za-z0-9_])([A-Za-z][A-Za-z0-9_]*_[Aa][Pp][Ii]_[Kk][Ee][Yy][ \t]*=[ \t]*[^ \t\r\n=~>][^ \t\r\n]*)',
        '{}'::text[],
        array[
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?(?:[$<{(*\[]|%[({A-Z]|\.\.\.)',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*(?:(?:await|new|async|lambda|function|yield|return)$|(?:os|sys|env|process|config|settings|secrets|self|this|System|Deno|Bun|import\.meta)[.(:])',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?[A-Za-z_][A-Za-z0-9_.:]*[(\[]',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?(?:[0-9.]{0,9}|true|false|True|False|none|None|null|nil|undefined)["''`]?[,;.)]?$'
        ]::text[],
        null::text
    ),
    (
        2,
        'TOKEN',
        '{_token}',
        '(^|[^A-Za-z0-9_])([A-Za-z][A-Za-z0-9_]*_[Tt][Oo][Kk][Ee][Nn][ \t]*=[ \t]*[^ \t\r\n=~>][^ \t\r\n]*)',
        '{}',
        array[
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?(?:[$<{(*\[]|%[({A-Z]|\.\.\.)',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*(?:(?:await|new|async|lambda|function|yield|return)$|(?:os|sys|env|process|config|settings|secrets|self|this|System|Deno|Bun|import\.meta)[.(:])',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?[A-Za-z_][A-Za-z0-9_.:]*[(\[]',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?(?:[0-9.]{0,9}|true|false|True|False|none|None|null|nil|undefined)["''`]?[,;.)]?$'
        ],
        null
    ),
    (
        3,
        'SECRET',
        '{_secret}',
        '(^|[^A-Za-z0-9_])([A-Za-z][A-Za-z0-9_]*_[Ss][Ee][Cc][Rr][Ee][Tt][ \t]*=[ \t]*[^ \t\r\n=~>][^ \t\r\n]*)',
        '{}',
        array[
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?(?:[$<{(*\[]|%[({A-Z]|\.\.\.)',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*(?:(?:await|new|async|lambda|function|yield|return)$|(?:os|sys|env|process|config|settings|secrets|self|this|System|Deno|Bun|import\.meta)[.(:])',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?[A-Za-z_][A-Za-z0-9_.:]*[(\[]',
            '^[A-Za-z0-9_]+[ \t]*=[ \t]*["''`]?(?:[0-9.]{0,9}|true|false|True|False|none|None|null|nil|undefined)["''`]?[,;.)]?$'
        ],
        null
    ),
    (
        4,
        'BEARER_TOKEN',
        '{bearer}',
        '([Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz][Aa][Tt][Ii][Oo][Nn]["'']?[ \t]*[:=][ \t]*["''`]?)((?:[Bb]earer|BEARER)[ \t]+[^ \t\r\n"''`<>$*(){}\[\],;\\]{6,})',
        '{}',
        '{}',
        null
    ),
    (
        5,
        'BEARER_TOKEN',
        '{bearer}',
        '(^|[^A-Za-z0-9_])((?:[Bb]earer|BEARER)[ \t]+[A-Za-z0-9._~+/=-]{8,})',
        array[
            '[ \t][^ \t]*[0-9]'
        ],
        array[
            '^[A-Za-z]+[ \t]+(?:[Ss][Hh][Aa]|[Oo][Aa]uth|[Rr][Ff][Cc]|[Hh][Tt][Tt][Pp])[-_]?[0-9]',
            '^[A-Za-z]+[ \t]+[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}$'
        ],
        null
    ),
    (
        6,
        'OPENSSH_PRIVATE_KEY',
        '{-----begin openssh}',
        '()(-----BEGIN OPENSSH PRIVATE KEY-----(?:-{0,4}[^-])*-----END OPENSSH PRIVATE KEY-----)',
        '{}',
        '{}',
        null
    ),
    (
        7,
        'PRIVATE_KEY',
        '{-----begin}',
        '()(-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:-{0,4}[^-])*-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----)',
        '{}',
        '{}',
        null
    ),
    (
        8,
        'PRIVATE_KEY',
        '{-----begin}',
        '()(-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:[\\]n|[\r\n])+[A-Za-z0-9+/=]{16,})+)',
        '{}',
        '{}',
        null
    ),
    (
        9,
        'DB_URL_WITH_CREDENTIALS',
        '{://}',
        '(^|[^A-Za-z0-9+.-])((?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb)(?:[+][a-z0-9]+)?://[^ \t\r\n:@/?#"''`<>]*:[^ \t\r\n@/"''`<>${*\[][^ \t\r\n@/"''`<>]*@[^ \t\r\n/"''`<>)\]|}]*)',
        '{}',
        '{}',
        null
    ),
    (
        10,
        'GITHUB_PAT',
        '{ghp_}',
        '(^|[^A-Za-z0-9])(ghp_[A-Za-z0-9]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        11,
        'GITHUB_OAUTH',
        '{gho_}',
        '(^|[^A-Za-z0-9])(gho_[A-Za-z0-9]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        12,
        'GITHUB_APP_SERVER_TOKEN',
        '{ghs_}',
        '(^|[^A-Za-z0-9])(ghs_[A-Za-z0-9]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        13,
        'GITHUB_USER_TOKEN',
        '{ghu_}',
        '(^|[^A-Za-z0-9])(ghu_[A-Za-z0-9]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        14,
        'GITHUB_REFRESH_TOKEN',
        '{ghr_}',
        '(^|[^A-Za-z0-9])(ghr_[A-Za-z0-9]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        15,
        'GITHUB_FINEGRAINED_PAT',
        '{github_pat_}',
        '(^|[^A-Za-z0-9])(github_pat_[A-Za-z0-9_]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        16,
        'VERCEL_TOKEN',
        '{vc_}',
        '(^|[^A-Za-z0-9])(vc_[A-Za-z0-9]{16,})',
        array[
            '[0-9]|[a-z][A-Z]'
        ],
        '{}',
        null
    ),
    (
        17,
        'AWS_ACCESS_KEY_ID',
        '{akia,asia}',
        '(^|[^A-Za-z0-9])(A[KS]IA[A-Z0-9]{16,})',
        array[
            '^.{20}$'
        ],
        '{}',
        null
    ),
    (
        18,
        'PERPLEXITY_API_KEY',
        '{pplx-}',
        '(^|[^A-Za-z0-9])(pplx-[A-Za-z0-9]{20,})',
        '{}',
        '{}',
        null
    ),
    (
        19,
        'SK_TOKEN',
        '{sk-}',
        '(^|[^A-Za-z0-9_-])(sk-[A-Za-z0-9_-]{16,})',
        array[
            '[A-Za-z0-9]{12}|^sk-(?:ant|proj|svcacct|admin|or|live|test)-'
        ],
        '{}',
        null
    ),
    (
        20,
        'CTX7_TOKEN',
        '{ctx7_}',
        '(^|[^A-Za-z0-9])(ctx7_[A-Za-z0-9]{6,})',
        array[
            '_[A-Za-z0-9]*[0-9]|^.{21}'
        ],
        '{}',
        null
    ),
    (
        21,
        'SLACK_TOKEN',
        '{xox,xapp-}',
        '(^|[^A-Za-z0-9])((?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,})',
        array[
            '[0-9]'
        ],
        '{}',
        null
    ),
    (
        22,
        'SLACK_WEBHOOK',
        '{hooks.slack.com/}',
        '(hooks[.]slack[.]com/(?:services|workflows|triggers)/)([A-Za-z0-9/]{20,})',
        '{}',
        '{}',
        null
    ),
    (
        23,
        'GOOGLE_API_KEY',
        '{aiza}',
        '(^|[^A-Za-z0-9])(AIza[A-Za-z0-9_-]{30,})',
        '{}',
        '{}',
        null
    ),
    (
        24,
        'JWT',
        '{eyj}',
        '(^|[^A-Za-z0-9])(eyJ[A-Za-z0-9_-]{7,}[.]eyJ[A-Za-z0-9_-]{2,}[.][A-Za-z0-9_-]{10,})',
        '{}',
        '{}',
        null
    ),
    (
        25,
        'GITLAB_TOKEN',
        '{glpat-}',
        '(^|[^A-Za-z0-9])(glpat-[A-Za-z0-9_-]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        26,
        'STRIPE_KEY',
        '{k_live_,k_test_,whsec_}',
        '(^|[^A-Za-z0-9])((?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,})',
        '{}',
        '{}',
        null
    ),
    (
        27,
        'NPM_TOKEN',
        '{npm_}',
        '(^|[^A-Za-z0-9])(npm_[A-Za-z0-9]{30,})',
        array[
            '[0-9]'
        ],
        '{}',
        null
    ),
    (
        28,
        'PYPI_TOKEN',
        '{pypi-}',
        '(^|[^A-Za-z0-9])(pypi-[A-Za-z0-9_-]{50,})',
        '{}',
        '{}',
        null
    ),
    (
        29,
        'URL_WITH_CREDENTIALS',
        '{://}',
        '(^|[^A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]*://[^ \t\r\n:@/?#"''`<>]*:[^ \t\r\n@/"''`<>${*\[][^ \t\r\n@/"''`<>]*@[^ \t\r\n/"''`<>)\]|}]*)',
        '{}',
        '{}',
        null
    ),
    (
        30,
        'AWS_SECRET_ACCESS_KEY',
        '{secret_access_key,secretaccesskey}',
        '((?:[Ss][Ee][Cc][Rr][Ee][Tt]_[Aa][Cc][Cc][Ee][Ss][Ss]_[Kk][Ee][Yy]|[Ss][Ee][Cc][Rr][Ee][Tt][Aa][Cc][Cc][Ee][Ss][Ss][Kk][Ee][Yy])["''`\\]{0,2}[ \t]*(?:=>|:=|=|:)[ \t]*["''`\\]{0,2})([A-Za-z0-9/+]{30,})',
        '{}',
        array[
            '^/'
        ],
        null
    ),
    (
        31,
        'PASSWORD',
        '{password,passwd,passphrase,pwd}',
        '((?:[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]|[Pp][Aa][Ss][Ss][Ww][Dd]|[Pp][Aa][Ss][Ss][Pp][Hh][Rr][Aa][Ss][Ee]|[Pp][Ww][Dd])["''`\\]{0,2}[ \t]*(?:=>|:=|=|:)[ \t]*["''`\\]{0,2})([^ \t\r\n"''`,;<>(){}\[\]\\|=:$/~.*][^ \t\r\n"''`,;<>(){}\[\]\\|]{4,}[^ \t\r\n"''`,;<>(){}\[\]\\|.!?:])',
        array[
            '[A-Za-z]',
            '[0-9!#%^&+]'
        ],
        array[
            '^(?:[Ss][Hh][Aa]|[Mm][Dd]|[Uu][Tt][Ff]|[Bb]ase|[Aa]rgon|[Bb]crypt|[Pp][Bb][Kk][Dd][Ff]|[Oo][Aa]uth|[Rr][Ff][Cc]|[Hh][Tt][Tt][Pp]|[Ii][Pp][Vv])[-_]?[0-9]',
            '^[0-9]{4}-[0-9]{2}',
            '::|//|\.\.\.',
            '^[a-z_][a-z0-9_]*\.[A-Za-z_]',
            '^(?:env|file|vault|ref|op|arn|secret):',
            '^[A-Z][A-Z0-9]*_[A-Z0-9_]*$',
            '^[a-z]+-(?:[a-z0-9]+-)+[a-z0-9]+$',
            '^(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|[0-9A-Fa-f]{32,})$'
        ],
        null
    ),
    (
        32,
        'PASSWORD',
        '{password,passwd,passphrase}',
        '((?:[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]|[Pp][Aa][Ss][Ss][Ww][Dd]|[Pp][Aa][Ss][Ss][Pp][Hh][Rr][Aa][Ss][Ee])[ \t]+(?:(?:is|was)[ \t]+)?["''`]?)([^ \t\r\n"''`,;<>(){}\[\]\\|=:$/~.*][^ \t\r\n"''`,;<>(){}\[\]\\|]{6,}[^ \t\r\n"''`,;<>(){}\[\]\\|.!?:])',
        array[
            '[A-Za-z]',
            '[0-9]'
        ],
        array[
            '^(?:[Ss][Hh][Aa]|[Mm][Dd]|[Uu][Tt][Ff]|[Bb]ase|[Aa]rgon|[Bb]crypt|[Pp][Bb][Kk][Dd][Ff]|[Oo][Aa]uth|[Rr][Ff][Cc]|[Hh][Tt][Tt][Pp]|[Ii][Pp][Vv])[-_]?[0-9]',
            '^[0-9]{4}-[0-9]{2}',
            '::|//|\.\.\.',
            '^[a-z_][a-z0-9_]*\.[A-Za-z_]',
            '^(?:env|file|vault|ref|op|arn|secret):',
            '^[A-Z][A-Z0-9]*_[A-Z0-9_]*$',
            '^[a-z]+-(?:[a-z0-9]+-)+[a-z0-9]+$',
            '^(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|[0-9A-Fa-f]{32,})$',
            '^[^A-Za-z0-9]*[0-9]+[-_]?[a-z]+$',
            '[/]'
        ],
        null
    ),
    (
        33,
        'CREDENTIAL',
        '{secret,apikey,api_key,api-key,access_key,access-key,private_key,secret_key,secretkey,token}',
        '((?:[Ss][Ee][Cc][Rr][Ee][Tt]|[Aa][Pp][Ii][Kk][Ee][Yy]|[Aa][Pp][Ii]_[Kk][Ee][Yy]|[Aa][Pp][Ii]-[Kk][Ee][Yy]|[Aa][Cc][Cc][Ee][Ss][Ss]_[Kk][Ee][Yy]|[Aa][Cc][Cc][Ee][Ss][Ss]-[Kk][Ee][Yy]|[Pp][Rr][Ii][Vv][Aa][Tt][Ee]_[Kk][Ee][Yy]|[Ss][Ee][Cc][Rr][Ee][Tt]_[Kk][Ee][Yy]|[Tt][Oo][Kk][Ee][Nn])["''`\\]{0,2}[ \t]*(?:=>|:=|=|:)[ \t]*["''`\\]{0,2})([^ \t\r\n"''`,;<>(){}\[\]\\|=:$/~.*][^ \t\r\n"''`,;<>(){}\[\]\\|]{10,}[^ \t\r\n"''`,;<>(){}\[\]\\|.!?:])',
        array[
            '[A-Za-z]',
            '[0-9]'
        ],
        array[
            '^(?:[Ss][Hh][Aa]|[Mm][Dd]|[Uu][Tt][Ff]|[Bb]ase|[Aa]rgon|[Bb]crypt|[Pp][Bb][Kk][Dd][Ff]|[Oo][Aa]uth|[Rr][Ff][Cc]|[Hh][Tt][Tt][Pp]|[Ii][Pp][Vv])[-_]?[0-9]',
            '^[0-9]{4}-[0-9]{2}',
            '::|//|\.\.\.',
            '^[a-z_][a-z0-9_]*\.[A-Za-z_]',
            '^(?:env|file|vault|ref|op|arn|secret):',
            '^[A-Z][A-Z0-9]*_[A-Z0-9_]*$',
            '^[a-z]+-(?:[a-z0-9]+-)+[a-z0-9]+$',
            '^(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|[0-9A-Fa-f]{32,})$',
            '^[0-9A-Fa-f-]+$'
        ],
        null
    ),
    (
        34,
        'BASE64_BLOB',
        '{}',
        '(^|;base64,|[^A-Za-z0-9+/_-])([A-Za-z0-9+/]{33,}={0,2})',
        array[
            '[a-z]',
            '[A-Z]',
            '(?:(?:[A-Z][a-z][A-Z0-9]|[0-9][A-Z]|[A-Z][0-9]|[a-z][0-9][A-Za-z])[A-Za-z0-9+/]*){3}',
            '[0-9]'
        ],
        array[
            '^(?:0x)?[0-9A-Fa-f]+=*$'
        ],
        'base64,$'
    )
$function$

CREATE OR REPLACE FUNCTION heirloom.refuse_width(column_name text, found_dimension integer, in_model text, in_namespace text, accepted_dimension integer)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
    raise exception '% has % dimensions: accepted are the % that vectors of the model % have in %', column_name,
        found_dimension, accepted_dimension, quote_literal(left(heirloom.redact(in_model), 80)), in_namespace
        using errcode = 'data_exception', column = column_name, constraint = 'model_width',
            detail = accepted_dimension::text,
            hint = 'A model of another width has another name; heirloom reembed changes the width of a model.';
end
$function$

CREATE OR REPLACE FUNCTION heirloom.says_something(words text[], namespaces text[])
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', '(pgvector)'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
AS $function$
declare
    weights constant sparsevec := (select q.weights from heirloom.question_vector(words, namespaces) q);
begin
    return weights is not null and exists (
        select
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where coalesce(m.word_vector, m.word_vector_long) <#> weights < 0
    );
end
$function$

CREATE OR REPLACE FUNCTION heirloom.search_vector(topic text, role text, content text)
 RETURNS tsvector
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
AS $function$
declare
    words constant tsvector := to_tsvector(heirloom.text_config(), heirloom.searchable(left(content, 131072)));
begin
    if topic is null and role is null then
        return words;
    end if;
    return setweight(to_tsvector(heirloom.text_config(), heirloom.searchable(left(coalesce(topic, ''), 4096))), 'A')
        || setweight(to_tsvector(heirloom.text_config(), heirloom.searchable(left(coalesce(role, ''), 1024))), 'B')
        || words;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.searchable(content text, with_identifiers boolean DEFAULT true)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
    said text collate (letters) := content;
    identifiers text;
begin
    if octet_length(said) <> length(said) then
        said := normalize(said, nfkc);
        if said ~ '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]'
        then
            said := heirloom.spaced(said);
        end if;
    end if;
    if said ~ '[[:alnum:]][-_/.@\\]+[[:alnum:]]|[[:lower:]][[:upper:]]' then
        select string_agg(translate(found.whole[1], '-_/.@\', ''), ' ')
        into identifiers
        from regexp_matches(
            said,
            '([[:alnum:]]+(?:[-_/.@\\]+[[:alnum:]]+)+|[[:alnum:]]*[[:lower:]][[:upper:]][[:alnum:]]*)', 'g'
        ) found(whole);
        said := regexp_replace(said, '([[:lower:]])([[:upper:]])', '\1 \2', 'g');
        said := regexp_replace(said, '([[:alnum:]])[-_/.@\\]+(?=[[:alnum:]])', '\1 ', 'g')
            || case when with_identifiers then ' ' || identifiers else '' end;
    end if;
    return lower(said);
end
$function$

CREATE OR REPLACE FUNCTION heirloom.serves_all()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
begin
    return coalesce(current_setting('heirloom.namespaces', true), '') = ''
        and coalesce(current_setting('pgmnemo.tenant_id', true), '') = ''
        and not exists (select from heirloom.bound_role b where b.role_name = session_user);
end
$function$

CREATE OR REPLACE FUNCTION heirloom.setting_flag(name text, fallback boolean)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    found text := lower(btrim(current_setting(setting_flag.name, true), E' \t\r\n'));
begin
    case
        when coalesce(found, '') = '' then
            return setting_flag.fallback;
        when found in ('on', '1', 't', 'tr', 'tru', 'true', 'y', 'ye', 'yes') then
            return true;
        when found in ('of', 'off', '0', 'f', 'fa', 'fal', 'fals', 'false', 'n', 'no') then
            return false;
        else
            raise exception '% is ''%'': it takes on or off (or true, false, yes, no, 1, 0)', setting_flag.name, found
                using errcode = 'invalid_parameter_value';
    end case;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.setting_number(name text, fallback double precision, lowest double precision, highest double precision)
 RETURNS double precision
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    found text := btrim(current_setting(setting_number.name, true), E' \t\r\n');
begin
    if coalesce(found, '') = '' then
        return setting_number.fallback;
    end if;
    if found !~ '^[+-]?([0-9]{1,15}\.?[0-9]{0,15}|\.[0-9]{1,15})([eE][+-]?[0-9]{1,2})?$' then
        raise exception '% is ''%'': it takes a number from % to %', setting_number.name, found, setting_number.lowest,
            setting_number.highest
            using errcode = 'invalid_parameter_value';
    end if;
    return least(greatest(found::double precision, setting_number.lowest), setting_number.highest);
end
$function$

CREATE OR REPLACE FUNCTION heirloom.setting_time(name text)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    found text := nullif(btrim(current_setting(setting_time.name, true), E' \t\r\n'), '');
begin
    -- PostgreSQL 15 cannot ask beforehand and says so in its own words. No exception block: one costs each call, and the
    -- embedded engine does not catch it.
    if found is not null and current_setting('server_version_num')::integer >= 160000
        and not pg_input_is_valid(found, 'timestamptz')
    then
        raise exception '% is ''%'': it takes a moment, as 2026-01-31 12:00:00+00', setting_time.name, found
            using errcode = 'invalid_datetime_format';
    end if;
    return found::timestamptz;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.spaced(content text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
    select string_agg(
        case
            when not c.unspaced then c.letter
            when c.next_unspaced then ' ' || c.letter || ' ' || c.letter || c.next || ' '
            else ' ' || c.letter || ' '
        end,
        '' order by c.at
    )
    from (
        select l.letter, l.at, l.unspaced, lead(l.letter) over along as next,
            coalesce(lead(l.unspaced) over along, false) as next_unspaced
        from (
            select x.letter, x.at,
                ascii(x.letter) between 3584 and 3839         -- Thai, Lao
                or ascii(x.letter) between 4096 and 4255      -- Burmese
                or ascii(x.letter) between 6016 and 6143      -- Khmer
                or ascii(x.letter) between 12352 and 12543    -- Hiragana, Katakana
                or ascii(x.letter) between 13312 and 19903    -- Han, extension A
                or ascii(x.letter) between 19968 and 40959    -- Han
                or ascii(x.letter) between 44032 and 55215    -- Hangul
                or ascii(x.letter) between 63744 and 64255    -- Han, compatibility
                or ascii(x.letter) between 131072 and 201551  -- Han, extensions B to G
                as unspaced
            from string_to_table(content, null) with ordinality x(letter, at)
        ) l
        window along as (order by l.at)
    ) c
$function$

CREATE OR REPLACE FUNCTION heirloom.text_config()
 RETURNS regconfig
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$select 'heirloom.english'::regconfig$function$

CREATE OR REPLACE FUNCTION heirloom.uuid_v7()
 RETURNS uuid
 LANGUAGE sql
 PARALLEL SAFE
AS $function$
    select encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                    from 1 for 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid
$function$

CREATE OR REPLACE FUNCTION heirloom.visible_namespaces()
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
declare
    bound text[];
    listed text := current_setting('heirloom.namespaces', true);
begin
    select b.namespaces into bound from heirloom.bound_role b where b.role_name = session_user;
    if bound is not null then
        return bound;
    end if;
    if listed <> '' then
        return string_to_array(listed, ',');
    end if;
    return array['project:' || nullif(current_setting('pgmnemo.tenant_id', true), '')];
end
$function$

CREATE OR REPLACE FUNCTION heirloom.whereabouts(in_id uuid, in_namespace text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare
    home text;
begin
    if not heirloom.may_see(in_namespace) then
        return null;
    end if;
    select m.namespace into home from heirloom.memory m where m.id = in_id limit 1;
    if found then
        return case when home = in_namespace then 'here' else 'elsewhere' end;
    end if;
    perform from heirloom.tombstone t where t.id = in_id limit 1;
    return case when found then 'forgotten' end;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.word_candidates(words tsquery, in_namespace text, most integer, at timestamp with time zone, include_unverified boolean, kinds text[], role text, exclude_dag text, content_types text[], also_states text[])
 RETURNS tid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare
    found tid[];
begin
    if heirloom.may_see(in_namespace) then
        -- The namespace as a constant: the index is one of this namespace alone.
        execute format(
            'select array(
                 select m.ctid
                 from heirloom.memory m
                 where m.namespace = %L and m.content_tsv @@ $1 and heirloom.is_recallable(m, $3, $4, $5, $6, $7, $8, $9)
                 limit $2
             )',
            in_namespace
        )
        into found
        using words, most, at, include_unverified, kinds, word_candidates.role, exclude_dag, content_types, also_states;
    end if;
    return found;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.word_vector(words tsvector)
 RETURNS sparsevec
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
    saturation constant double precision := 0.9 * (0.6 + 0.4 * length(words) / 40.0);
    -- Most words stand once.
    of_one constant text := ':' || (1.9 / (1 + saturation))::real || ',';
    elements text;
    places bigint;
begin
    select
        string_agg(
            (hashtext(t.lexeme) & 536870911) + 1
            || case cardinality(t.positions)
                when 1 then of_one
                else ':' || (cardinality(t.positions) * 1.9 / (cardinality(t.positions) + saturation))::real || ','
            end,
            ''
        ),
        count(distinct hashtext(t.lexeme) & 536870911)
    into elements, places
    from unnest(words) t;
    if places <> length(words) or places > 16000 then
        select string_agg(e.at || ':' || e.value || ',', '')
        into elements
        from (
            select (hashtext(t.lexeme) & 536870911) + 1 as at,
                max(cardinality(t.positions) * 1.9 / (cardinality(t.positions) + saturation))::real as value
            from unnest(words) t
            group by 1
            order by 2 desc
            limit 16000
        ) e;
    end if;
    return ('{' || rtrim(coalesce(elements, ''), ',') || '}/536870912')::sparsevec;
end
$function$

CREATE OR REPLACE FUNCTION heirloom.write_memory(overwrite boolean, in_actor text, in_sha256 bytea, id_given boolean, in_id uuid, in_namespace text, in_kind text, in_source text, in_role text, in_topic text, in_content text, in_importance smallint, in_state text, in_commit_sha text, in_artifact_hash text, in_source_run_id text, in_source_task_id text, in_source_dag_id text, in_pin boolean, in_propagation jsonb, in_metadata jsonb, in_embedding vector, in_embedding_model text, in_embedding_dimension integer, in_expires_at timestamp with time zone, in_valid_from timestamp with time zone, in_valid_to timestamp with time zone, in_content_type text, in_item_kind text, in_created_at timestamp with time zone, in_updated_at timestamp with time zone, OUT lesson_id bigint, OUT created boolean, OUT ghost boolean)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', '(pgvector)'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
$function$

text search configuration heirloom.english
    asciihword with heirloom.english_stem
    asciiword with heirloom.english_stem
    email with simple
    file with simple
    float with simple
    host with simple
    hword with heirloom.english_stem
    hword_asciipart with heirloom.english_stem
    hword_numpart with simple
    hword_part with heirloom.english_stem
    int with simple
    numhword with simple
    numword with simple
    sfloat with simple
    uint with simple
    url with simple
    url_path with simple
    version with simple
    word with heirloom.english_stem

view pgmnemo.agent_lesson security_invoker=true
    id bigint
    created_at timestamp with time zone
    updated_at timestamp with time zone
    role text
    project_id integer
    topic text
    lesson_text text
    importance smallint
    metadata jsonb
    source_run_id text
    commit_sha text
    artifact_hash text
    verified_at timestamp with time zone
    topic_tsv tsvector
    lesson_tsv tsvector
    full_text tsvector
    embedding vector(1024)
    is_active boolean
    resolved_at timestamp with time zone
    verifier_role text
    state text
    state_changed_at timestamp with time zone
    source_task_id bigint
    expires_at timestamp with time zone
    content_type text
    blob_ref text
    doc_ref text
    last_recalled_at timestamp with time zone
    recall_count bigint
    item_kind text
    version_n integer
    patch_count integer
    source_dag_id text
    t_valid_from timestamp with time zone default 'infinity'::timestamp with time zone
    t_valid_to timestamp with time zone
    content_hash text
    confidence real
    success_count integer
    fail_count integer
    last_outcome text
    last_outcome_at timestamp with time zone
    source_type text default 'auto_captured'::text
    embedding_at timestamp with time zone
    use_count integer
    evidence_count integer

view pgmnemo.agent_lesson_state_transition security_invoker=true
    from_state text
    to_state text

view pgmnemo.mem_edge security_invoker=true
    source_id bigint
    target_id bigint
    relation_type text
    edge_kind text
    valid_from timestamp with time zone
    valid_until timestamp with time zone
    weight real
    metadata jsonb
    created_at timestamp with time zone

view pgmnemo.mem_item security_invoker=true
    id bigint
    created_at timestamp with time zone
    updated_at timestamp with time zone
    role text
    project_id integer
    topic text
    lesson_text text
    importance smallint
    metadata jsonb
    source_run_id text
    commit_sha text
    artifact_hash text
    verified_at timestamp with time zone
    topic_tsv tsvector
    lesson_tsv tsvector
    full_text tsvector
    embedding vector(1024)
    is_active boolean
    resolved_at timestamp with time zone
    verifier_role text
    state text
    state_changed_at timestamp with time zone
    source_task_id bigint
    expires_at timestamp with time zone
    content_type text
    blob_ref text
    doc_ref text
    last_recalled_at timestamp with time zone
    recall_count bigint
    item_kind text
    version_n integer
    patch_count integer
    source_dag_id text
    t_valid_from timestamp with time zone default 'infinity'::timestamp with time zone
    t_valid_to timestamp with time zone
    content_hash text
    confidence real
    success_count integer
    fail_count integer
    last_outcome text
    last_outcome_at timestamp with time zone
    source_type text default 'auto_captured'::text
    embedding_at timestamp with time zone
    use_count integer
    evidence_count integer

view pgmnemo.memory_ingest_log security_invoker=true
    id bigint
    source_origin text
    min_id bigint
    max_id bigint
    ingested_at timestamp with time zone
    retired_at timestamp with time zone

function pgmnemo.add_edge(p_source_id bigint, p_target_id bigint, p_relation_type text, p_weight double precision DEFAULT 1.0, p_metadata jsonb DEFAULT '{}'::jsonb, p_mode text DEFAULT 'replace'::text)
    returns void

function pgmnemo.as_of(ts timestamp with time zone)
    returns SETOF pgmnemo.agent_lesson stable

function pgmnemo.auto_promote_drafts(p_dry_run boolean DEFAULT true, p_limit integer DEFAULT NULL::integer)
    returns TABLE(lesson_id bigint, role text, topic text, success_count integer, fail_count integer, dry_run boolean)

function pgmnemo.consolidate(p_similarity real DEFAULT 0.92, p_dry_run boolean DEFAULT true, p_role text DEFAULT NULL::text, p_limit integer DEFAULT 100)
    returns TABLE(canonical_id bigint, member_ids bigint[], size integer, mean_similarity real)

function pgmnemo.entity_key(asked_by text, argument text, key text)
    returns text immutable

function pgmnemo.evict_expired_lessons(dry_run boolean DEFAULT false, batch_limit integer DEFAULT NULL::integer)
    returns integer

function pgmnemo.get_temporal_boost()
    returns double precision stable

function pgmnemo.ingest(p_role text, p_project_id integer, p_topic text, p_lesson_text text, p_importance integer DEFAULT 3, p_embedding vector DEFAULT NULL::vector, p_commit_sha text DEFAULT NULL::text, p_artifact_hash text DEFAULT NULL::text, p_metadata jsonb DEFAULT '{}'::jsonb, p_content_type text DEFAULT NULL::text)
    returns bigint

function pgmnemo.ingested(p_first bigint, p_role text, p_project_id integer, p_topic text, p_lesson_text text, p_importance integer, p_embedding vector, p_commit_sha text, p_artifact_hash text, p_metadata jsonb, p_content_type text, p_item_kind text, p_source_dag_id text)
    returns bigint

function pgmnemo.mark_recalled(p_lesson_ids bigint[])
    returns void

function pgmnemo.mark_stale(p_unused_days integer DEFAULT 45, p_min_confidence_keep real DEFAULT 0.6, p_keep_provenance boolean DEFAULT true, p_dry_run boolean DEFAULT true, p_cap integer DEFAULT 500)
    returns TABLE(lesson_id bigint, role text, topic text, last_recalled_at timestamp with time zone, confidence real, would_deprecate boolean)

function pgmnemo.recall_fast(query_embedding vector, k integer DEFAULT 10, role_filter text DEFAULT NULL::text, project_id_filter integer DEFAULT NULL::integer, exclude_dag_id text DEFAULT NULL::text, p_content_types text[] DEFAULT NULL::text[], p_min_score real DEFAULT NULL::real)
    returns TABLE(lesson_id bigint, score double precision, role text, project_id integer, topic text, lesson_text text, importance smallint, metadata jsonb, commit_sha text, artifact_hash text, verified_at timestamp with time zone, created_at timestamp with time zone) stable

function pgmnemo.recall_hybrid(query_embedding vector, query_text text, k integer DEFAULT 10, role_filter text DEFAULT NULL::text, project_id_filter integer DEFAULT NULL::integer, vec_weight double precision DEFAULT 0.4, bm25_weight double precision DEFAULT 0.4, rrf_k integer DEFAULT 60, exclude_dag_id text DEFAULT NULL::text, p_content_types text[] DEFAULT NULL::text[], p_min_score real DEFAULT NULL::real)
    returns TABLE(lesson_id bigint, score double precision, vec_score double precision, bm25_score double precision, rrf_score double precision, role text, project_id integer, topic text, lesson_text text, importance smallint, metadata jsonb, commit_sha text, artifact_hash text, verified_at timestamp with time zone, created_at timestamp with time zone, confidence real, match_confidence real, retrieval_source text) stable

function pgmnemo.recall_lessons(query_embedding vector, k integer DEFAULT 10, role_filter text DEFAULT NULL::text, project_id_filter integer DEFAULT NULL::integer, query_text text DEFAULT NULL::text, as_of_ts timestamp with time zone DEFAULT NULL::timestamp with time zone, exclude_dag_id text DEFAULT NULL::text, p_content_types text[] DEFAULT NULL::text[], p_min_score real DEFAULT NULL::real)
    returns TABLE(lesson_id bigint, score double precision, role text, project_id integer, topic text, lesson_text text, importance smallint, metadata jsonb, commit_sha text, artifact_hash text, verified_at timestamp with time zone, created_at timestamp with time zone, vec_score double precision, bm25_score double precision, rrf_score double precision, confidence real, match_confidence real) stable

function pgmnemo.recall_lessons_pooled(query_embedding vector, k integer DEFAULT 10, app_id integer DEFAULT NULL::integer, p_min_score real DEFAULT NULL::real)
    returns TABLE(lesson_id bigint, score double precision, role text, project_id integer, topic text, lesson_text text, importance smallint, metadata jsonb, commit_sha text, artifact_hash text, verified_at timestamp with time zone, created_at timestamp with time zone) stable

function pgmnemo.recalled(p_embedding vector, p_text text, p_k integer, p_role text, p_project_id integer, p_as_of timestamp with time zone, p_exclude_dag text, p_content_types text[], p_min_score real, p_vec_weight double precision DEFAULT 0.4, p_bm25_weight double precision DEFAULT 0.4, p_recency boolean DEFAULT false, p_pure_cosine boolean DEFAULT false)
    returns TABLE(lesson_id bigint, score double precision, role text, project_id integer, topic text, lesson_text text, importance smallint, metadata jsonb, commit_sha text, artifact_hash text, verified_at timestamp with time zone, created_at timestamp with time zone, vec_score double precision, bm25_score double precision, rrf_score double precision, confidence real, match_confidence real) stable

function pgmnemo.reinforce(p_lesson_id bigint, p_outcome text, p_used boolean DEFAULT NULL::boolean)
    returns real

function pgmnemo.reinforce(p_lesson_ids bigint[], p_outcome text, p_used boolean DEFAULT NULL::boolean)
    returns integer

function pgmnemo.remember_event(p_role text, p_entity_key text, p_event_label text, p_event_body text, p_occurred_at timestamp with time zone DEFAULT now(), p_confidence real DEFAULT 0.8, p_embedding vector DEFAULT NULL::vector, p_source_type text DEFAULT NULL::text, p_project_id integer DEFAULT NULL::integer, p_commit_sha text DEFAULT NULL::text, p_artifact_hash text DEFAULT NULL::text)
    returns bigint

function pgmnemo.remember_fact(p_role text, p_entity_key text, p_property text, p_value text, p_confidence real DEFAULT 0.7, p_has_contact_pii boolean DEFAULT NULL::boolean, p_embedding vector DEFAULT NULL::vector, p_source_type text DEFAULT NULL::text, p_project_id integer DEFAULT NULL::integer, p_commit_sha text DEFAULT NULL::text, p_artifact_hash text DEFAULT NULL::text)
    returns TABLE(id bigint, final_state text)

function pgmnemo.remember_relation(p_role text, p_from_key text, p_to_key text, p_relation_type text, p_confidence real DEFAULT 0.7, p_embedding vector DEFAULT NULL::vector, p_source_type text DEFAULT NULL::text, p_project_id integer DEFAULT NULL::integer, p_commit_sha text DEFAULT NULL::text, p_artifact_hash text DEFAULT NULL::text)
    returns bigint

function pgmnemo.remembered_state(source_type text, confidence real, is_contact boolean)
    returns text immutable

function pgmnemo.stats()
    returns TABLE(version text, lesson_count bigint, embedded_count bigint, embedding_coverage_pct double precision, tsv_coverage_pct double precision, mem_edge_count bigint, recency_weight double precision, ef_search integer, importance_weight double precision, hybrid_enabled boolean, recall_hybrid_available boolean, oldest_lesson_age_days integer, orphan_count bigint, ghost_count bigint, confidence_mean real, confidence_p10 real, confidence_p50 real, confidence_p90 real, confidence_below_threshold_count integer, graph_expand_weight real, graph_expand_depth integer, graph_expand_ann_k integer, graph_expand_per_node integer, graph_entity_expand_weight real, graph_entity_min_overlap integer, graph_entity_max_expansion integer, closed_count bigint, expired_count bigint, inactive_count bigint, recallable_count bigint) stable

function pgmnemo.transition_lesson(lesson_id bigint, new_state text, reason text DEFAULT NULL::text, actor text DEFAULT NULL::text)
    returns pgmnemo.agent_lesson

function pgmnemo.traverse_causal_chain(start_id bigint, max_depth integer DEFAULT 5, relation_types text[] DEFAULT ARRAY['causal'::text, 'derives_from'::text, 'contradicts'::text], only_active boolean DEFAULT true, direction text DEFAULT 'forward'::text)
    returns TABLE(lesson_id bigint, depth integer, path bigint[], path_weight real, role text, topic text, lesson_text text, importance smallint, created_at timestamp with time zone, commit_sha text, verified_at timestamp with time zone) stable

function pgmnemo.traverse_temporal_window(start_id bigint, window_interval interval DEFAULT '00:15:00'::interval, include_unlinked boolean DEFAULT true, role_filter text DEFAULT NULL::text, project_id_filter integer DEFAULT NULL::integer, k integer DEFAULT 20)
    returns TABLE(lesson_id bigint, time_delta_sec double precision, linked boolean, edge_weight real, role text, topic text, lesson_text text, importance smallint, created_at timestamp with time zone, commit_sha text, verified_at timestamp with time zone) stable

function pgmnemo.undo_consolidate(p_canonical_id bigint DEFAULT NULL::bigint, p_dry_run boolean DEFAULT true)
    returns TABLE(canonical_id bigint, member_ids bigint[], size integer)

function pgmnemo.version()
    returns text immutable
