-- How many memories no migration brought, counted up to a limit: enough to say that counts prove nothing.
select count(*)
from (
    select 1
    from heirloom.memory m
    where not exists (select 1 from heirloom.origin o where o.namespace = m.namespace and o.id = m.id)
    limit 100000
) live
