-- What heirloom.write_memory decided by itself about a memory that it has just written, as it was instead.
-- $1 namespace, $2 id, $3 project, $4 state changed, $5 verified, $6 confidence, $7 active, $8 valid from, $9 created,
-- $10 updated. Whoever says nothing of its project is left without one: naming one would move it to that project's namespace.
update heirloom.memory m
set project_id = case when m.namespace <> 'custom:unassigned' then $3::integer end,
    state_changed_at = $4::timestamptz,
    verified_at = $5::timestamptz,
    confidence = $6::real,
    is_active = $7::boolean,
    valid_from = $8::timestamptz,
    created_at = $9::timestamptz,
    updated_at = $10::timestamptz
where m.namespace = $1 and m.id = $2
