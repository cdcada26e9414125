-- Where the pages of a listing end: the place of each N-th memory in the order of the newest, and of the last one, so
-- that a reader can go to any of them at once. $1 to $14 as for the count, $15 N
select l.place, l.total, l.created_at, l.id
from (
    select m.created_at, m.id, count(*) over () as total,
        row_number() over (order by m.created_at desc nulls last, m.id) as place
    from heirloom.memory m
    where m.namespace = any (case when $13 then heirloom.open_namespaces($1, statement_timestamp()) else $1 end)
        and heirloom.is_listed(m, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, $13, $14)
        and (
            $11::boolean is null
            or $11 = exists (select from heirloom.origin o where o.id = m.id and o.namespace = m.namespace)
        )
) l
where l.place % $15::bigint = 0 or l.place = l.total
order by l.place
