-- The mean vector of a model as text, how far it lies from the centre there is, and how far its vectors do: at most 50,000 of
-- them, more would not move it. Read by the auditing role. $1: the model.
with v as materialized (
    select m.embedding
    from heirloom.memory m
    where coalesce(m.embedding_model, '') = $1 and m.embedding is not null
    limit 50000
), mean as materialized (
    select avg(v.embedding) as centre from v
)
select
    mean.centre::text as centre,
    (mean.centre <-> c.centre) as moved,
    (select avg(v.embedding <-> c.centre) from v) as spread
from mean
left join heirloom.model c on c.name = $1
