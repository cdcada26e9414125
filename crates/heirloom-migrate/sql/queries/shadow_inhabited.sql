-- Those of these namespaces that hold a memory. Runs as the audit.
-- $1 namespaces
select n.namespace
  from unnest($1::text[]) as n (namespace)
 where exists (select from heirloom.memory as m where m.namespace = n.namespace)
