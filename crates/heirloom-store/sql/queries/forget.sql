-- What must not stay goes, revisions and links with it; what proves that it was forgotten stays.
-- $1 namespace, $2 id, $3 actor, $4 reason
with gone as (
    delete from heirloom.memory m where m.namespace = $1 and m.id = $2 returning m.namespace, m.id
),
source_row_gone as (
    delete from heirloom.origin o where o.namespace = $1 and o.id = $2
),
tombstone as (
    insert into heirloom.tombstone (id, namespace, actor, reason)
    select gone.id, gone.namespace, coalesce($3::text, session_user), $4
    from gone
    on conflict (id, namespace) do nothing
)
select now() as forgotten_at from gone
