-- The width that the vectors of a model have in a namespace; the first one who writes says it. Held against
-- `heirloom reembed`, which alone changes it, until the caller's transaction ends. With the caller's own rights.

create or replace function heirloom.model_width(in_namespace text, in_model text, in_dimension integer) returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
    kept integer;
begin
    loop
        select w.dimension into kept
        from heirloom.model_width w
        where w.namespace = in_namespace and w.model = in_model
        for share;
        if found then
            return kept;
        end if;
        insert into heirloom.model_width (namespace, model, dimension)
        values (in_namespace, in_model, in_dimension)
        on conflict (namespace, model) do nothing;
    end loop;
end
$$;
