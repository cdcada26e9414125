-- How many memories of a scope expire on each of the days to come (UTC), the nearest first; 60 days of them at most.
-- $1 namespaces
select to_char(m.expires_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*) as memories
from heirloom.memory m
where m.namespace = any ($1)
    and m.expires_at > statement_timestamp() and m.expires_at <= statement_timestamp() + interval '60 days'
group by 1
order by 1
