-- One memory of the scope, where it came from and what happened to it. $1 id, $2 namespace or NULL for any of the scope
select m.id, m.lesson_id, m.namespace, m.project_id, m.kind, m.source, m.role, m.topic, m.content, m.importance,
    m.state, m.state_changed_at, m.commit_sha, m.artifact_hash, m.verified_at, m.source_run_id, m.source_task_id,
    m.source_dag_id, m.pin, m.propagation, m.metadata, m.embedding is not null as has_embedding, m.embedding_model,
    m.expires_at, m.valid_from, m.valid_to, m.created_at, m.updated_at, m.confidence, m.is_active, m.content_type,
    m.item_kind, m.version_n,
    coalesce(m.expires_at <= statement_timestamp(), false) as expired,
    o.run_id as origin_run_id, o.source as origin_source, o.source_key as origin_key, o.handed_down_at,
    (select count(*) from heirloom.revision r where r.namespace = m.namespace and r.memory_id = m.id) as revisions
from heirloom.memory m
left join heirloom.origin o on o.namespace = m.namespace and o.id = m.id
where m.id = $1 and ($2::text is null or m.namespace = $2)
order by m.namespace
limit 2
