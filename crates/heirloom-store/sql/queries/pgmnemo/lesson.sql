-- The memory behind an integer handle, in sight of the call.
select m.id, m.namespace
from heirloom.memory m
where m.lesson_id = $1
limit 1
