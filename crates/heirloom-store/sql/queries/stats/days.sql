-- How many memories of a scope were made on each day (UTC), by kind and state, newest first; of the latest 366 days that
-- have any. $1 namespaces
select d.day, d.kind, d.state, d.memories
from (
    select to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD') as day, m.kind, m.state, count(*) as memories,
        dense_rank() over (order by to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD') desc) as place
    from heirloom.memory m
    where m.namespace = any ($1) and isfinite(m.created_at)
    group by 1, 2, 3
) d
where d.place <= 366
order by d.day desc, d.kind, d.state
