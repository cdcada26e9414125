-- Namespaces that come into being with a load; in order, so that two loads wait for each other instead of blocking
-- each other for good. $1: their names.
insert into heirloom.namespace (name)
select n.name
from unnest($1::text[]) as n (name)
order by n.name
on conflict (name) do nothing
