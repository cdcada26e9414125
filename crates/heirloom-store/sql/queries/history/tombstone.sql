-- Where and when a memory of the scope was forgotten. $1 id, $2 namespace or NULL for any of the scope
select t.namespace, t.forgotten_at, t.actor, t.reason
from heirloom.tombstone t
where t.id = $1 and ($2::text is null or t.namespace = $2)
order by t.namespace
limit 1
