-- Lessons again, as their source says them now; $1 to $26 as in pgmnemo_insert.sql.
update pgmnemo.agent_lesson as l
set
    project_id = r.project_id,
    source_type = r.source_type,
    role = r.role,
    topic = r.topic,
    lesson_text = r.content,
    importance = r.importance,
    state = r.state,
    state_changed_at = r.state_changed_at,
    commit_sha = r.commit_sha,
    artifact_hash = r.artifact_hash,
    verified_at = r.verified_at,
    source_run_id = r.source_run_id,
    source_task_id = r.source_task_id,
    metadata = r.metadata::jsonb,
    embedding = r.embedding::vector,
    expires_at = r.expires_at,
    t_valid_from = r.valid_from,
    t_valid_to = coalesce(r.valid_to, 'infinity'),
    created_at = r.created_at,
    updated_at = r.updated_at,
    confidence = r.confidence,
    is_active = r.is_active,
    content_type = r.content_type,
    item_kind = r.item_kind,
    source_dag_id = r.source_dag_id
from unnest(
    $1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::text[],
    $9::timestamptz[], $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::bigint[], $15::text[],
    $16::text[], $17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[], $21::timestamptz[],
    $22::real[], $23::boolean[], $24::text[], $25::text[], $26::text[]
) as r (
    mark, project_id, source_type, role, topic, content, importance, state, state_changed_at, commit_sha, artifact_hash,
    verified_at, source_run_id, source_task_id, metadata, embedding, expires_at, valid_from, valid_to, created_at,
    updated_at, confidence, is_active, content_type, item_kind, source_dag_id
)
where l.doc_ref = r.mark
returning l.id, l.doc_ref
