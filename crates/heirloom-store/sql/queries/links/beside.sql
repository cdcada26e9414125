-- What was remembered just before and just after a memory in its namespace, newest first; nothing beside one without a
-- time. $1 namespace, $2 id, $3 how many on each side
select n.later, n.id, n.namespace, n.kind, n.state, n.topic, left(n.content, 280) as content, n.created_at
from heirloom.memory s
cross join lateral (
    (
        select true as later, m.*
        from heirloom.memory m
        where m.namespace = s.namespace and m.id <> s.id and m.created_at >= s.created_at
        order by m.created_at, m.id
        limit $3
    )
    union all
    (
        select false as later, m.*
        from heirloom.memory m
        where m.namespace = s.namespace and m.id <> s.id and m.created_at < s.created_at
        order by m.created_at desc, m.id
        limit $3
    )
) n
where s.namespace = $1 and s.id = $2
order by n.created_at desc, n.id
