-- The mean vector of a model as text, and over how many it was taken: at most 50,000, more would not move it.
-- Read by the auditing role. $1: the model.
select avg(v.embedding)::text as centre, count(*) as vectors
from (
    select m.embedding
    from heirloom.memory m
    where coalesce(m.embedding_model, '') = $1 and m.embedding is not null
    limit 50000
) v
