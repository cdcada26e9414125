-- How two entities relate, by pgmnemo.remember_relation.
select jsonb_build_object(
    'id',
    pgmnemo.remember_relation(
        p_role => $1::jsonb ->> 'role',
        p_from_key => $1 ->> 'from_key',
        p_to_key => $1 ->> 'to_key',
        p_relation_type => $1 ->> 'relation_type',
        p_confidence => coalesce(($1 ->> 'confidence')::real, 0.7),
        p_source_type => $1 ->> 'source_type',
        p_project_id => ($1 ->> 'project_id')::integer,
        p_commit_sha => $1 ->> 'commit_sha',
        p_artifact_hash => $1 ->> 'artifact_hash'
    )
) as answer
