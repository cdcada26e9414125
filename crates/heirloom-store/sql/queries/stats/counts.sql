-- A scope by namespace, kind and state. $1 namespaces
select m.namespace, m.kind, m.state, count(*) as memories,
    count(*) filter (where m.kind = 'lesson' and m.verified_at is null) as ghosts,
    count(*) filter (where m.expires_at <= statement_timestamp()) as expired,
    count(*) filter (
        where m.expires_at > statement_timestamp() and m.expires_at <= statement_timestamp() + interval '7 days'
    ) as expiring,
    count(*) filter (where m.pin) as pinned,
    count(m.embedding) as embedded,
    count(o.id) as migrated
from heirloom.memory m
left join heirloom.origin o on o.id = m.id and o.namespace = m.namespace
where m.namespace = any ($1)
group by m.namespace, m.kind, m.state
order by m.namespace, m.kind, m.state
