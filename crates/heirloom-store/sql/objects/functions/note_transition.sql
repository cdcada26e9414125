-- The lines that a change of state leaves: one of history, one of activity. Who did it and why is free text: no
-- credential stays in it.

create or replace function heirloom.note_transition(
    namespace text,
    memory_id uuid,
    from_state text,
    to_state text,
    actor text,
    reason text
) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into heirloom.state_transition (namespace, memory_id, from_state, to_state, actor, reason)
    values (
        note_transition.namespace, note_transition.memory_id, note_transition.from_state, note_transition.to_state,
        coalesce(heirloom.redact(note_transition.actor), session_user), note_transition.reason
    );
    insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256, details)
    select coalesce(heirloom.redact(note_transition.actor), session_user), 'transition', m.namespace, m.id,
        sha256(convert_to(m.content, 'UTF8')),
        jsonb_strip_nulls(jsonb_build_object(
            'from', note_transition.from_state, 'to', note_transition.to_state, 'reason', heirloom.redact(note_transition.reason)
        ))
    from heirloom.memory m
    where m.namespace = note_transition.namespace and m.id = note_transition.memory_id;
end
$$;
