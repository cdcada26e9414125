-- Rows handed down before, whose source changed: overwritten with what the source says now, keeping what they said
-- before as a revision. $1: the namespaces of this round. $2: all namespaces the caller is allowed. $3: the last round.
with said as (
    insert into heirloom.revision (namespace, memory_id, version_n, role, topic, content, metadata)
    select m.namespace, m.id, m.version_n, m.role, m.topic, m.content, m.metadata
    from heirloom.memory m
    join pg_temp.heirloom_stage s on s.id = m.id and s.namespace = m.namespace
    where
        (s.namespace = any ($1) or ($3 and s.namespace <> all ($2)))
        and (m.role, m.topic, m.content, m.metadata) is distinct from (s.role, s.topic, s.content, s.metadata)
    on conflict (namespace, memory_id, version_n) do nothing
    returning namespace, memory_id
),
replaced as (
    update heirloom.memory m
    set
        project_id = s.project_id,
        kind = s.kind,
        source = s.source,
        role = s.role,
        topic = s.topic,
        content = s.content,
        importance = s.importance,
        state = s.state,
        state_changed_at = s.state_changed_at,
        commit_sha = s.commit_sha,
        artifact_hash = s.artifact_hash,
        verified_at = s.verified_at,
        source_run_id = s.source_run_id,
        source_task_id = s.source_task_id,
        source_dag_id = s.source_dag_id,
        pin = s.pin,
        propagation = s.propagation,
        metadata = s.metadata,
        embedding = s.embedding,
        embedding_model = s.embedding_model,
        expires_at = s.expires_at,
        valid_from = s.valid_from,
        valid_to = s.valid_to,
        created_at = s.created_at,
        updated_at = s.updated_at,
        confidence = s.confidence,
        is_active = s.is_active,
        content_type = s.content_type,
        item_kind = s.item_kind,
        content_tsv = s.content_tsv,
        word_vector = s.word_vector,
        word_vector_long = s.word_vector_long,
        version_n = m.version_n + (said.memory_id is not null)::integer
    from pg_temp.heirloom_stage s
    left join said on said.memory_id = s.id and said.namespace = s.namespace
    where
        m.id = s.id
        and m.namespace = s.namespace
        and (s.namespace = any ($1) or ($3 and s.namespace <> all ($2)))
    returning m.id, m.namespace
)
update heirloom.origin o
set
    run_id = s.run_id,
    source = s.origin_source,
    source_key = s.source_key,
    source_row = s.source_row,
    source_digest = s.source_digest,
    written_digest = s.written_digest,
    handed_down_at = now()
from pg_temp.heirloom_stage s
join replaced r on r.id = s.id and r.namespace = s.namespace
where o.id = s.id and o.namespace = s.namespace
returning o.id
