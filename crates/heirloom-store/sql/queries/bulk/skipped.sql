-- Which ids must not go in, and why: forgotten in whatever namespace (no namespace in the answer), or there already.
-- Runs as the audit, because a row of another namespace is invisible to the tenant. $1: the ids.
select t.id, null::text as namespace
from heirloom.tombstone t
where t.id = any ($1::uuid[])
union all
select m.id, m.namespace::text
from heirloom.memory m
where m.id = any ($1::uuid[])
