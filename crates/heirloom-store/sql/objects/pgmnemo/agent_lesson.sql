-- Lessons as pgmnemo's table shows them: same columns, same order, same defaults. A plain view: what is inserted,
-- updated and deleted here is a statement on heirloom.memory, under the caller's own rights and policies, at no cost a
-- row but the gate's. The four columns that pgmnemo generates are worked out on reading and cannot be written.
--
-- COPY knows no such view: COPY into a temporary table (create temp table t (like pgmnemo.agent_lesson)), then INSERT.

create or replace view pgmnemo.agent_lesson
with (security_invoker = true)
as
select
    m.lesson_id as id,
    m.created_at,
    m.updated_at,
    m.role,
    m.project_number as project_id,
    m.topic,
    m.content as lesson_text,
    m.importance,
    m.metadata,
    m.source_run_id,
    m.commit_sha,
    m.artifact_hash,
    m.verified_at,
    to_tsvector('pg_catalog.simple', left(m.topic, 4096)) as topic_tsv,
    to_tsvector('pg_catalog.simple', left(m.content, 131072)) as lesson_tsv,
    -- An expression, so that it cannot be written.
    coalesce(m.content_tsv, ''::tsvector) as full_text,
    m.embedding,
    m.is_active,
    m.resolved_at,
    m.verifier_role,
    m.state,
    m.state_changed_at,
    m.source_task_number as source_task_id,
    m.expires_at,
    m.content_type,
    m.blob_ref,
    m.doc_ref,
    m.last_recalled_at,
    m.recall_count,
    m.item_kind,
    m.version_n,
    m.patch_count,
    m.source_dag_id,
    m.t_valid_from,
    m.t_valid_to,
    md5(m.role || '|' || m.topic || '|' || coalesce(m.commit_sha, m.artifact_hash, '')) as content_hash,
    m.confidence,
    m.success_count,
    m.fail_count,
    m.last_outcome,
    m.last_outcome_at,
    m.source_type,
    m.embedding_at,
    m.use_count,
    m.evidence_count
from heirloom.memory m
where m.kind = 'lesson';

-- By these the row knows that it came in by this door (the trigger memory_door says what follows).
alter view pgmnemo.agent_lesson alter column source_type set default 'auto_captured';
alter view pgmnemo.agent_lesson alter column t_valid_from set default 'infinity';

comment on view pgmnemo.agent_lesson is 'Lessons of every door, under the names of pgmnemo.';
