-- A property of an entity, by pgmnemo.remember_fact.
select to_jsonb(f) as answer
from pgmnemo.remember_fact(
    p_role => $1::jsonb ->> 'role',
    p_entity_key => $1 ->> 'entity_key',
    p_property => $1 ->> 'property',
    p_value => $1 ->> 'value',
    p_confidence => coalesce(($1 ->> 'confidence')::real, 0.7),
    p_source_type => $1 ->> 'source_type',
    p_project_id => ($1 ->> 'project_id')::integer,
    p_commit_sha => $1 ->> 'commit_sha',
    p_artifact_hash => $1 ->> 'artifact_hash'
) f
