-- How many memories of a scope were made on each day (UTC), newest first, a year of days that have any. $1 namespaces
select to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*) as memories
from heirloom.memory m
where m.namespace = any ($1) and isfinite(m.created_at)
group by 1
order by 1 desc
limit 366
