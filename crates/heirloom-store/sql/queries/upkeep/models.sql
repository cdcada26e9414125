-- The models whose centre is due: at least $1 vectors and none yet, or $2 times as many as when it was last looked at.
-- Read by the auditing role.
select v.name, v.vectors
from (
    select coalesce(m.embedding_model, '') as name, count(*) as vectors
    from heirloom.memory m
    where m.embedding is not null
    group by 1
) v
left join heirloom.model c on c.name = v.name
where v.vectors >= $1::bigint and (c.name is null or v.vectors >= c.vectors * $2::bigint)
order by v.name
