-- Which of the rows just inserted somebody else brought into being, or ended, since the look before: forgotten in
-- whatever namespace (no namespace in the answer), or committed in another one. Runs as the audit, under the loader's
-- lock. $1: the ids. $2: their namespaces, in the same order.
select t.id, null::text as namespace
from heirloom.tombstone t
where t.id = any ($1::uuid[])
union all
select m.id, m.namespace::text
from unnest($1::uuid[], $2::text[]) as mine (id, namespace)
join heirloom.memory m on m.id = mine.id
where m.namespace <> mine.namespace
