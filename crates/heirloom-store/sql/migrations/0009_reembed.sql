-- Vectors of a model that is yet to become the live one, beside the memories: recall does not see them until every
-- memory of a namespace has one and they are moved over in one transaction.

do $$
declare
    pgvector name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
    dimension integer := (select m.dimension from heirloom.meta m);
begin
    execute format(
        $ddl$
        create table heirloom.embedding (
            namespace   text        collate "C" not null,
            id          uuid        not null,
            model       text        not null,
            dimension   integer     check (dimension between 1 and %2$s),
            text_sha256 bytea       not null,
            embedding   %1$I.vector(%2$s),
            made_at     timestamptz not null default now(),

            constraint embedding_pkey primary key (namespace, id, model),
            constraint embedding_sha256_check check (octet_length(text_sha256) = 32),
            constraint embedding_width_check check ((dimension is null) = (embedding is null)),
            constraint embedding_memory_fkey foreign key (namespace, id)
                references heirloom.memory (namespace, id) on update cascade on delete cascade
        )
        $ddl$,
        pgvector, dimension
    );
end
$$;

comment on table heirloom.embedding is 'Vectors of a model that is not the live one yet; gone once they were moved to heirloom.memory.';
comment on column heirloom.embedding.dimension is 'Width of the vector before padding.';
comment on column heirloom.embedding.text_sha256 is 'Of the text the vector was made from: a memory that says something else by now needs another.';
comment on column heirloom.embedding.embedding is 'NULL: the model has no vector for this text. Such a row stays, so that nobody asks again.';
