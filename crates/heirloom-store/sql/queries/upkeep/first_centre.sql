-- The first centre of a model into heirloom.model; nothing when it has one. Its width is where its last number is that is
-- not zero: what was padded is zero everywhere. Of two that come at once, neither waits long: it is a transaction of its own.
-- $1 model, $2 centre as text, $3 over how many vectors
insert into heirloom.model as m (name, dimension, centre, vectors)
select $1, greatest(1, max(x.at) filter (where x.value <> 0)), $2::text::vector, $3
from unnest($2::text::vector::real[]) with ordinality x(value, at)
on conflict (name) do nothing
