-- Names as a pgmnemo compares them, in their order. $1 names as JSON
select lower(n.name::jsonb #>> '{}')
from unnest($1::text[]) with ordinality as n (name, at)
order by n.at
