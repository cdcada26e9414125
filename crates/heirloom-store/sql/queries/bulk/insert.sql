-- Staged rows into the store, with their origins, under the policy of the serving role.
-- $1: the namespaces of this round. $2: all namespaces the caller is allowed. $3: whether this is the last round,
-- which also takes the rows of namespaces nobody allowed, so that it is the database that refuses them.
with inserted as (
    insert into heirloom.memory (
        id, namespace, project_id, kind, source, role, topic, content, importance, state, state_changed_at,
        commit_sha, artifact_hash, verified_at, source_run_id, source_task_id, source_dag_id, pin, propagation, metadata,
        embedding, embedding_model, expires_at, valid_from, valid_to, created_at, updated_at, confidence, is_active,
        content_type, item_kind, content_tsv, word_vector, word_vector_long, sign_bits, t_valid_from, t_valid_to
    )
    select
        s.id, s.namespace, s.project_id, s.kind, s.source, s.role, s.topic, s.content, s.importance, s.state,
        s.state_changed_at,
        s.commit_sha, s.artifact_hash, s.verified_at, s.source_run_id, s.source_task_id, s.source_dag_id, s.pin,
        s.propagation, s.metadata,
        s.embedding, s.embedding_model, s.expires_at, s.valid_from, s.valid_to, s.created_at, s.updated_at,
        s.confidence, s.is_active,
        s.content_type, s.item_kind, s.content_tsv, s.word_vector, s.word_vector_long, s.sign_bits,
        coalesce(s.valid_from, s.created_at, '-infinity'), coalesce(s.valid_to, 'infinity')
    from pg_temp.heirloom_stage s
    where
        (s.namespace = any ($1) or ($3 and s.namespace <> all ($2)))
        and not exists (select from heirloom.tombstone t where t.id = s.id)
    on conflict (namespace, id) do nothing
    returning id, namespace
)
insert into heirloom.origin (id, namespace, run_id, source, source_key, source_row, source_digest, written_digest)
select s.id, s.namespace, s.run_id, s.origin_source, s.source_key, s.source_row, s.source_digest, s.written_digest
from pg_temp.heirloom_stage s
join inserted i on i.id = s.id and i.namespace = s.namespace
-- A row that was handed down, and then deleted by hand past the store, comes with a new origin.
on conflict (id, namespace) do update set
    run_id = excluded.run_id,
    source = excluded.source,
    source_key = excluded.source_key,
    source_row = excluded.source_row,
    source_digest = excluded.source_digest,
    written_digest = excluded.written_digest,
    handed_down_at = now()
returning id
