-- How wide the vectors of each model are, in each namespace: what heirloom.memory.embedding holds is padded, so its type
-- does not say. Of a namespace, because nothing that one tenant writes may bind another, or be told to it.

do $$
declare
    dimension integer := (select m.dimension from heirloom.meta m);
begin
    execute format(
        $ddl$
        create table heirloom.model_width (
            namespace text    collate "C" not null,
            model     text    not null check (model <> ''),
            dimension integer not null check (dimension between 1 and %s),

            constraint model_width_pkey primary key (namespace, model)
        )
        $ddl$,
        dimension
    );
end
$$;

comment on table heirloom.model_width is 'The one width that the vectors of a model have in a namespace.';
comment on column heirloom.model_width.dimension is 'Width of the vectors before padding.';

-- Rows that were there: the owner is under its own policies, which show it nothing. What is zero everywhere was padded;
-- a model that has a centre has been looked at, and of another the first 64 vectors of the namespace are.
alter table heirloom.memory no force row level security;
insert into heirloom.model_width (namespace, model, dimension)
select n.namespace, n.model, coalesce(c.dimension, seen.dimension)
from (
    select distinct m.namespace, m.embedding_model as model
    from heirloom.memory m
    where m.embedding is not null and m.embedding_model <> ''
) n
left join heirloom.model c on c.name = n.model
left join lateral (
    select max(x.at)::integer as dimension
    from (
        select m.embedding
        from heirloom.memory m
        where m.namespace = n.namespace and m.embedding_model = n.model and m.embedding is not null
        limit 64
    ) v
    cross join lateral unnest(v.embedding::real[]) with ordinality x(value, at)
    where c.name is null and x.value <> 0
) seen on true
where coalesce(c.dimension, seen.dimension) is not null;
alter table heirloom.memory force row level security;
