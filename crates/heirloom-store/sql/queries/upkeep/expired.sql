-- The namespaces in which something expired long ago, and whether that is the namespace itself with all that it holds. Read
-- by the auditing role. $1 for how many seconds what has expired is kept
select n.name as namespace, true as ended
from heirloom.namespace n
where n.expires_at <= now() - make_interval(secs => $1)
    and exists (select from heirloom.memory m where m.namespace = n.name)
union all
select e.namespace, false
from (
    select distinct m.namespace
    from heirloom.memory m
    where m.expires_at <= now() - make_interval(secs => $1)
) e
order by 1, 2 desc
