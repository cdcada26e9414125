-- The namespaces of a scope that are described or hold a memory, with how many. $1 their names
select coalesce(n.name, c.namespace) as name, n.given_kind, n.expires_at,
    coalesce(n.expires_at <= statement_timestamp(), false) as expired, n.metadata, n.created_at,
    coalesce(c.memories, 0) as memories
from (select x.* from heirloom.namespace x where x.name = any ($1)) n
full join (
    select m.namespace, count(*) as memories from heirloom.memory m where m.namespace = any ($1) group by m.namespace
) c on c.namespace = n.name
order by 1
