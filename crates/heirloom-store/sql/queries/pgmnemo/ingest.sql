-- One lesson by pgmnemo.ingest; what it has no parameter for is set beside it.
with made as (
    select pgmnemo.ingest(
        p_role => $1::jsonb ->> 'role',
        p_project_id => ($1 ->> 'project_id')::integer,
        p_topic => $1 ->> 'topic',
        p_lesson_text => $1 ->> 'text',
        p_importance => ($1 ->> 'importance')::integer,
        p_commit_sha => $1 ->> 'commit_sha',
        p_artifact_hash => $1 ->> 'artifact_hash',
        p_metadata => coalesce($1 -> 'metadata', '{}')
    ) as lesson_id
)
select jsonb_build_object('lesson_id', made.lesson_id, 'status', 'ok') as answer
from made
