-- Lessons, one array a column. What is not said here has the defaults of the table. RETURNING tells which went in.
insert into pgmnemo.agent_lesson (
    doc_ref, project_id, source_type, role, topic, lesson_text, importance, state, state_changed_at, commit_sha,
    artifact_hash, verified_at, source_run_id, source_task_id, metadata, embedding, expires_at, t_valid_from, t_valid_to,
    created_at, updated_at, confidence, is_active, content_type, item_kind, source_dag_id
)
select
    r.mark, r.project_id, r.source_type, r.role, r.topic, r.content, r.importance, r.state, r.state_changed_at,
    r.commit_sha, r.artifact_hash, r.verified_at, r.source_run_id, r.source_task_id, r.metadata::jsonb,
    r.embedding::vector, r.expires_at, r.valid_from, coalesce(r.valid_to, 'infinity'), r.created_at, r.updated_at,
    r.confidence, r.is_active, r.content_type, r.item_kind, r.source_dag_id
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
returning id, doc_ref
