-- Refuses a vector that has another width than the others of its model in its namespace. What is accepted stands in the
-- detail alone as well, for a program.

create or replace function heirloom.refuse_width(
    column_name text,
    found_dimension integer,
    in_model text,
    in_namespace text,
    accepted_dimension integer
) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    raise exception '% has % dimensions: accepted are the % that vectors of the model % have in %', column_name,
        found_dimension, accepted_dimension, quote_literal(left(heirloom.redact(in_model), 80)), in_namespace
        using errcode = 'data_exception', column = column_name, constraint = 'model_width',
            detail = accepted_dimension::text,
            hint = 'A model of another width has another name; heirloom reembed changes the width of a model.';
end
$$;
