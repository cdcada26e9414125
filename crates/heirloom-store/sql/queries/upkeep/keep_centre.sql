-- A centre into heirloom.model. Its width is where its last number is that is not zero: what was padded is zero everywhere.
-- $1 model, $2 centre as text, $3 how many vectors the model has, $4 whether it takes the place of one that is there
insert into heirloom.model as m (name, dimension, centre, vectors)
select $1, greatest(1, max(x.at) filter (where x.value <> 0)), $2::text::vector, $3
from unnest($2::text::vector::real[]) with ordinality x(value, at)
on conflict (name) do update set
    dimension = excluded.dimension,
    centre = excluded.centre,
    vectors = excluded.vectors,
    centred_at = now()
where $4
