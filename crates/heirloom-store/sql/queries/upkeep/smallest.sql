-- The smallest of the namespaces that have indexes of their own. Read by the auditing role.
select f.namespace
from heirloom.frequency f
where f.is_indexed
order by f.documents, f.namespace
limit 1
