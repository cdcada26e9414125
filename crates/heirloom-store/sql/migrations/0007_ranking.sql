-- What recall ranks by, kept beside each memory: its words as a BM25 vector, the signs of its centred embedding.
--
-- Both are filled by a trigger, in one pass with the text index: a generated column may look neither at another
-- generated column (the words would be split twice) nor at the centre of its model, which is a row elsewhere.
--
-- The word vector is read for every row of a scope, so it stands in the row, unpacked (storage plain: 1.5 to 2 times
-- faster than unpacking); a page is 8 kB, so a text of more than 480 distinct words keeps it in word_vector_long.

alter table heirloom.memory alter column content_tsv drop expression;

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
        alter table heirloom.memory
            add column word_vector %1$I.sparsevec,
            add column word_vector_long %1$I.sparsevec,
            add column sign_bits bit(%2$s);
        alter table heirloom.memory
            alter column word_vector set storage plain,
            alter column sign_bits set storage plain;

        create table heirloom.model (
            name       text           primary key,
            dimension  integer        not null check (dimension between 1 and %2$s),
            centre     %1$I.vector(%2$s) not null,
            vectors    bigint         not null,
            centred_at timestamptz    not null default now()
        );
        $ddl$,
        pgvector, dimension
    );
end
$$;

comment on column heirloom.memory.word_vector is 'Saturated frequency of each lexeme, at the hash of the lexeme; NULL when it stands in word_vector_long.';
comment on column heirloom.memory.sign_bits is 'Signs of embedding − centre of its model; NULL until the model has a centre.';
comment on table heirloom.model is 'The mean vector of each model, kept constant between two re-centrings. The model without a name is the empty one.';
comment on column heirloom.model.dimension is 'Width of the model before padding.';
comment on column heirloom.model.vectors is 'Over how many vectors the centre was taken.';

create table heirloom.frequency (
    namespace  text        collate "C" primary key,
    documents  integer     not null check (documents >= 0),
    is_indexed boolean     not null default false,
    counted_at timestamptz not null default now()
);

comment on table heirloom.frequency is 'When the words of a namespace were last counted, and over how many memories.';
comment on column heirloom.frequency.is_indexed is 'Whether upkeep gave this namespace indexes of its own: recall then asks them for candidates.';

-- One session in its order: a scope is read along it, and the neighbours of a hit are found in it.
create index memory_session on heirloom.memory (namespace, source_run_id, created_at, id);

-- The lessons nobody verified, counted when recall leaves them out.
create index memory_ghost on heirloom.memory (namespace) where kind = 'lesson' and verified_at is null;
