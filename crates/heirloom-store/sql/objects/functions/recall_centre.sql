-- The centre that the vector of a question is compared around: that of its model; of a question that names none, the
-- centre of the vectors without a model, else of the model with most of them. No row while it has none.
--
-- With its owner's rights: over how many vectors a centre was taken is a count over all tenants, and no tenant reads it.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    -- What a function gives back cannot be replaced.
    drop function if exists heirloom.recall_centre(text);
    execute format($ddl$
create or replace function heirloom.recall_centre(query_model text) returns table (centre %1$I.vector, dimension integer)
language sql
stable
security definer
set search_path = pg_catalog
as $body$
    select m.centre, m.dimension
    from heirloom.model m
    where query_model is null or m.name = query_model
    order by m.name <> '', m.vectors desc, m.name
    limit 1
$body$
$ddl$, pgvector);
end
$do$;
