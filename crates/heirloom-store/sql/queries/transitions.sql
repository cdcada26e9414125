-- Through which states a memory went, oldest first. $1 namespace, $2 id
select t.from_state, t.to_state, t.actor, t.reason, t.at
from heirloom.state_transition t
where t.namespace = $1 and t.memory_id = $2
order by t.id
