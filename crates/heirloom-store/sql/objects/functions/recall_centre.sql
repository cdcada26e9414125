-- The centre that the vector of a question is compared around: that of its model; of a question that names none, the
-- centre of the vectors without a model, else of the model with most of them. No row while it has none.

create or replace function heirloom.recall_centre(query_model text) returns setof heirloom.model
language sql
stable
set search_path = pg_catalog
as $$
    select m.*
    from heirloom.model m
    where query_model is null or m.name = query_model
    order by m.name <> '', m.vectors desc, m.name
    limit 1
$$;
