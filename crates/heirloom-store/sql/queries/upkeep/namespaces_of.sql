-- The namespaces that hold vectors of a model. Read by the auditing role. $1: the model.
select distinct m.namespace
from heirloom.memory m
where coalesce(m.embedding_model, '') = $1 and m.embedding is not null
