-- How many memories a listing has on all its pages.
-- $1 namespaces, $2 kinds, $3 states, $4 sources, $5 pinned, $6 expired, $7 role, $8 topic, $9 tag, $10 unverified,
-- $11 migrated, $12 expiring before, $13 only what recall would show, $14 pattern
select count(*) as total
from heirloom.memory m
where m.namespace = any (case when $13 then heirloom.open_namespaces($1, statement_timestamp()) else $1 end)
    and heirloom.is_listed(m, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, $13, $14)
    and (
        $11::boolean is null
        or $11 = exists (select from heirloom.origin o where o.id = m.id and o.namespace = m.namespace)
    )
