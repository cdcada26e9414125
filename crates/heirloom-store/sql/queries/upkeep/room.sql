-- Above how many memories a namespace gets indexes of its own: $1 as long as fewer than $2 namespaces have them, else twice
-- as many as the smallest of those has, which gives way. Read by the auditing role.
select
    case
        when count(*) < $2::bigint then $1::bigint
        else greatest($1::bigint, 2 * min(f.documents))
    end as above,
    count(*) >= $2::bigint as is_full
from heirloom.frequency f
where f.is_indexed
