-- The width that a model has from now on in a namespace: one row where it had another, or none. Where it stays, nobody is
-- kept from writing; where it does not, this waits for whoever writes vectors of the old one. $1 namespace, $2 model, $3 its
-- width
insert into heirloom.model_width as w (namespace, model, dimension)
select $1, $2, $3::integer
where not exists (
    select
    from heirloom.model_width k
    where k.namespace = $1 and k.model = $2 and k.dimension = $3
)
on conflict (namespace, model) do update set dimension = excluded.dimension
returning true
