-- Whether somebody who may see these namespaces sees any row outside them. As the serving role; the policy is what is tried.
-- $1: the namespaces.
select exists (select from heirloom.memory m where m.namespace <> all ($1::text[])) as sees
