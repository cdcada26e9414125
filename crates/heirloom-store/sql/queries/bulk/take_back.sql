-- Takes back rows that were just inserted. $1: the ids. $2: their namespaces, in the same order.
with mine as (
    select u.id, u.namespace
    from unnest($1::uuid[], $2::text[]) as u (id, namespace)
),
origins as (
    delete from heirloom.origin o
    using mine
    where o.id = mine.id and o.namespace = mine.namespace
)
delete from heirloom.memory m
using mine
where m.id = mine.id and m.namespace = mine.namespace
