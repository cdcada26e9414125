-- The latest steps of a memory from state to state, oldest first. $1 namespace, $2 id, $3 how many
select t.from_state, t.to_state, t.actor, t.reason, t.at
from (
    select s.*
    from heirloom.state_transition s
    where s.namespace = $1 and s.memory_id = $2
    order by s.id desc
    limit $3
) t
order by t.id
