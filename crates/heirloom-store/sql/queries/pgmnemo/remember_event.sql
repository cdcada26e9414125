-- Something that happened to an entity, by pgmnemo.remember_event.
select jsonb_build_object(
    'id',
    pgmnemo.remember_event(
        p_role => $1::jsonb ->> 'role',
        p_entity_key => $1 ->> 'entity_key',
        p_event_label => $1 ->> 'event_label',
        p_event_body => $1 ->> 'event_body',
        p_occurred_at => coalesce(($1 ->> 'occurred_at')::timestamptz, now()),
        p_confidence => coalesce(($1 ->> 'confidence')::real, 0.8),
        p_source_type => $1 ->> 'source_type',
        p_project_id => ($1 ->> 'project_id')::integer,
        p_commit_sha => $1 ->> 'commit_sha',
        p_artifact_hash => $1 ->> 'artifact_hash'
    )
) as answer
