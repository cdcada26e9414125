-- Through which states a memory went, oldest first. $1 namespace, $2 id, $3 how many, $4 only steps above this number
select t.id, t.from_state, t.to_state, t.actor, t.reason, t.at
from heirloom.state_transition t
where t.namespace = $1 and t.memory_id = $2 and t.id > $4
order by t.id
limit $3
