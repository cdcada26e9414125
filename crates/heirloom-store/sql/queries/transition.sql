-- A new state, and the line of history that says so. $1 namespace, $2 id, $3 from, $4 to, $5 verify too?, $6 actor,
-- $7 reason
with moved as (
    update heirloom.memory m
    set state = $4,
        state_changed_at = now(),
        verified_at = case when $5 then now() else m.verified_at end
    where m.namespace = $1 and m.id = $2
    returning m.namespace, m.id
)
insert into heirloom.state_transition (namespace, memory_id, from_state, to_state, actor, reason)
select moved.namespace, moved.id, $3, $4, coalesce($6::text, session_user), $7
from moved
returning at
