-- Which staged rows must not go in, and why: forgotten in whatever namespace, or there already. Runs as the audit,
-- because a row of another namespace is invisible to the tenant. $1: the ids.
select
    w.id,
    exists (select from heirloom.tombstone t where t.id = w.id) as forgotten,
    (select min(m.namespace collate "C") from heirloom.memory m where m.id = w.id) as namespace
from unnest($1::uuid[]) as w (id)
where
    exists (select from heirloom.tombstone t where t.id = w.id)
    or exists (select from heirloom.memory m where m.id = w.id)
