-- In which namespaces of the scope a memory lives; two rows at most. $1 id, $2 namespace or NULL for any of the scope
select m.namespace
from heirloom.memory m
where m.id = $1 and ($2::text is null or m.namespace = $2)
order by m.namespace
limit 2
