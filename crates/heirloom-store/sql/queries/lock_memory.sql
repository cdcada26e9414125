-- The row an operation is about to change, held until it commits. Two rows at most are read: more than one is refused.
-- $1 id, $2 namespace or NULL for any of the scope
select m.namespace, m.lesson_id, m.version_n, m.state, m.content, m.role, m.topic, m.metadata
from heirloom.memory m
where m.id = $1 and ($2::text is null or m.namespace = $2)
order by m.namespace
limit 2
for update
