-- Activity after an id, in order, with the oldest transaction still at work and the next one to begin; one row at least,
-- whose id is NULL when nothing follows. As heirloom_audit. $1 after which, $2 how many
select pg_snapshot_xmin(s.now)::text::bigint as oldest, pg_snapshot_xmax(s.now)::text::bigint as next,
    a.id, a.at, a.actor, a.action, a.namespace, a.memory_id, a.content_sha256, a.details
from (select pg_current_snapshot() as now) s
left join lateral (
    select x.* from heirloom.activity x where x.id > $1 order by x.id limit $2
) a on true
order by a.id
