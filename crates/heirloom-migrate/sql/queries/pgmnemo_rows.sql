-- Lessons by their marks, in the words of a memory. $1 marks
select
    l.id as lesson_id,
    l.doc_ref as mark,
    l.t_valid_to <> 'infinity' and exists (
        select from pgmnemo.agent_lesson n
        where
            n.content_hash = l.content_hash and n.id <> l.id and n.t_valid_to = 'infinity'
            and n.created_at >= l.created_at
    ) as superseded,
    coalesce('project:' || l.project_id, 'custom:unassigned') as namespace,
    l.project_id,
    case l.source_type when 'imported' then 'imported' when 'system' then 'runtime' else 'agent' end as source,
    l.role,
    l.topic,
    l.lesson_text as content,
    l.importance,
    l.state,
    l.state_changed_at,
    l.commit_sha,
    l.artifact_hash,
    l.verified_at,
    l.source_run_id,
    l.source_task_id::text as source_task_id,
    l.metadata,
    l.embedding,
    l.expires_at,
    l.t_valid_from as valid_from,
    nullif(l.t_valid_to, 'infinity') as valid_to,
    l.created_at,
    l.updated_at,
    l.confidence,
    l.is_active,
    l.content_type,
    l.item_kind,
    l.source_dag_id
from pgmnemo.agent_lesson l
where l.doc_ref = any ($1)
