-- Whose rights a leak probe takes: other namespaces of the store, whoever brought them, in an order that hangs on a seed, so
-- that of many not always the same are left out; and how many there are.
-- $1 namespace, $2 most, $3 seed
select n.name, count(*) over () as others
  from heirloom.namespace as n
 where n.name <> $1
 order by md5($3 || n.name), n.name
 limit $2
