-- Activity after an id, in order, with the oldest transaction still at work and the next one to begin; one row at least,
-- whose id is NULL when nothing follows. As heirloom_audit. $1 after which, $2 how many, $3 whether something is undecided
--
-- A snapshot counts up to the newest transaction that has ended, and says nothing of newer ones at work. Where that
-- matters, the asker takes a transaction id itself: whoever took one before has a lower one.
select pg_snapshot_xmin(s.now)::text::bigint as oldest,
    case when $3 then pg_current_xact_id()::text::bigint else pg_snapshot_xmax(s.now)::text::bigint end as next,
    a.id, a.at, a.actor, a.action, a.namespace, a.memory_id, a.content_sha256, a.details
from (select pg_current_snapshot() as now) s
left join lateral (
    select x.* from heirloom.activity x where x.id > $1 order by x.id limit $2
) a on true
order by a.id
