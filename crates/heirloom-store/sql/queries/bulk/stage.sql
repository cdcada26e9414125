-- The loader's staging table, once a session: the columns of a memory and of its origin, typed as the store types
-- them (the width of vectors included), empty again after each transaction. A row of up to a page stays in one piece: a vector
-- that is put away and fetched again costs as much as the rest of its way.
create temporary table heirloom_stage with (toast_tuple_target = 8160) on commit delete rows as
select
    m.id, m.namespace, m.project_id, m.kind, m.source, m.role, m.topic, m.content, m.importance, m.state,
    m.state_changed_at,
    m.commit_sha, m.artifact_hash, m.verified_at, m.source_run_id, m.source_task_id, m.source_dag_id, m.pin,
    m.propagation, m.metadata,
    m.embedding, m.embedding_model, m.expires_at, m.valid_from, m.valid_to, m.created_at, m.updated_at,
    m.confidence, m.is_active,
    m.content_type, m.item_kind, m.content_tsv, m.word_vector, m.word_vector_long, m.sign_bits,
    o.run_id, o.source as origin_source, o.source_key, o.source_row, o.source_digest, o.written_digest
from heirloom.memory m, heirloom.origin o
with no data
