-- Every memory of a namespace is forgotten: what proves it stays, one tombstone and one line each. $1 namespace, $2 actor
with gone as (
    delete from heirloom.memory m
    where m.namespace = $1
    returning m.namespace, m.id, sha256(convert_to(m.content, 'UTF8')) as digest
),
source_rows_gone as (
    delete from heirloom.origin o where o.namespace = $1
),
words_gone as (
    delete from heirloom.lexeme x where x.namespace = $1
),
counts_gone as (
    delete from heirloom.frequency f where f.namespace = $1
),
tombstones as (
    insert into heirloom.tombstone (id, namespace, actor)
    select gone.id, gone.namespace, coalesce($2::text, session_user)
    from gone
    on conflict (id, namespace) do nothing
)
insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256)
select coalesce($2::text, session_user), 'forget', gone.namespace, gone.id, gone.digest
from gone
order by gone.id
