-- Which ids were handed down and are gone without a tombstone: no memory stands where the origin says. Runs as the
-- audit. $1: the ids.
select o.id
from heirloom.origin o
where
    o.id = any ($1::uuid[])
    and not exists (select from heirloom.memory m where m.namespace = o.namespace and m.id = o.id)
    and not exists (select from heirloom.tombstone t where t.id = o.id)
