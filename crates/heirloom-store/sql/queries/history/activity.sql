-- What was done to a memory, newest first. $1 namespace, $2 id, $3 how many, $4 only lines below this number
select a.id, a.at, a.actor, a.action, a.details
from heirloom.activity a
where a.namespace = $1 and a.memory_id = $2 and a.id < $4
order by a.id desc
limit $3
