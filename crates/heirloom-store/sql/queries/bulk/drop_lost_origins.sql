-- Origins of memories that are gone and stand in another namespace now. $1: the ids. $2: the namespaces before, in the
-- same order.
delete from heirloom.origin o
using unnest($1::uuid[], $2::text[]) as before (id, namespace)
where
    o.id = before.id
    and o.namespace = before.namespace
    and not exists (select from heirloom.memory m where m.namespace = o.namespace and m.id = o.id)
