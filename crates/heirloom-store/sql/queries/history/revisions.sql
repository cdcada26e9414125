-- What a memory said before, newest first. $1 namespace, $2 id, $3 how many, $4 only versions below this one
select r.version_n, r.role, r.topic, r.content, r.metadata, r.actor, r.replaced_at
from heirloom.revision r
where r.namespace = $1 and r.memory_id = $2 and r.version_n < $4
order by r.version_n desc
limit $3
