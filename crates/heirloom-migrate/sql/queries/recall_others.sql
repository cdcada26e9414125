-- Other namespaces of the store, whoever brought them, in the order of their names: whose rights a leak probe takes.
-- $1 namespace, $2 most
select n.name
  from heirloom.namespace as n
 where n.name <> $1
 order by n.name
 limit $2
