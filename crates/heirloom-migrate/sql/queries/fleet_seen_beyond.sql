-- Whether somebody who may see these namespaces sees any row outside them. As the serving role; the policy is what is tried.
-- $1: the namespaces.
-- Counted to the end: asked whether one exists, the planner expects to meet it soon and reads the table, which holds every
-- tenant's rows, from its first row to its last. What is visible is read by an index.
select coalesce(bool_or(m.namespace <> all ($1::text[])), false) as sees
from heirloom.memory m
