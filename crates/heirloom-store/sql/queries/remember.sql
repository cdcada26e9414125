-- One live memory. verified_at is now exactly when provenance is given: a lesson without is a ghost.
insert into heirloom.memory (
    id, namespace, kind, source, role, topic, content, importance, state, commit_sha, artifact_hash, verified_at,
    source_run_id, source_task_id, source_dag_id, pin, propagation, metadata, embedding, embedding_model,
    expires_at, valid_from, valid_to, content_type, item_kind
)
values (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, case when coalesce($10::text, $11) is not null then now() end,
    $12, $13, $14, $15, $16, $17, $18, $19, $20, coalesce($21, now()), $22, $23, $24
)
returning lesson_id
