-- One lesson by what pgmnemo.ingest does, with the two columns that it has no parameter for.
with made as (
    select pgmnemo.ingested(
        p_first => heirloom.ingest_first(),
        p_role => $1::jsonb ->> 'role',
        p_project_id => ($1 ->> 'project_id')::integer,
        p_topic => $1 ->> 'topic',
        p_lesson_text => $1 ->> 'text',
        p_importance => ($1 ->> 'importance')::integer,
        p_embedding => null,
        p_commit_sha => $1 ->> 'commit_sha',
        p_artifact_hash => $1 ->> 'artifact_hash',
        p_metadata => coalesce($1 -> 'metadata', '{}'),
        p_content_type => null,
        p_item_kind => $1 ->> 'item_kind',
        p_source_dag_id => $1 ->> 'source_dag_id'
    ) as lesson_id
)
select jsonb_build_object('lesson_id', made.lesson_id, 'status', 'ok') as answer
from made
