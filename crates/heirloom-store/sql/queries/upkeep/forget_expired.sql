-- What expired long ago in a namespace is forgotten as by `heirloom forget`, the longest expired first: a tombstone keeps an
-- import from bringing it back, and a line of activity says what became of it. What was handed down since is kept as long
-- from that moment. What somebody holds, to give it another end, is left to them. $1 namespace, $2 for how many seconds what
-- has expired is kept, $3 how many at most, $4 actor. $5 whether the namespace has ended itself: then all of it.
with due as materialized (
    select m.namespace, m.id
    from heirloom.memory m
    where m.namespace = $1
        and ($5 or m.expires_at <= now() - make_interval(secs => $2))
        and not exists (
            select
            from heirloom.origin o
            where o.namespace = m.namespace and o.id = m.id and o.handed_down_at > now() - make_interval(secs => $2)
        )
    order by m.expires_at, m.id
    limit $3
    for update of m skip locked
),
gone as (
    delete from heirloom.memory m
    using due
    where m.namespace = due.namespace and m.id = due.id
    returning m.namespace, m.id, m.expires_at, sha256(convert_to(m.content, 'UTF8')) as digest
),
source_rows_gone as (
    delete from heirloom.origin o
    using due
    where o.namespace = due.namespace and o.id = due.id
),
tombstones as (
    insert into heirloom.tombstone (id, namespace, actor, reason)
    select g.id, g.namespace, $4, 'expired'
    from gone g
    on conflict (id, namespace) do nothing
)
insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256, details)
select $4, 'forget', g.namespace, g.id, g.digest, jsonb_build_object('reason', 'expired', 'expires_at', g.expires_at)
from gone g
order by g.id
