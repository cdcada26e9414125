-- What the store is: one row of identity, and the text configuration of its language.
--
-- The language and the width of vectors are chosen once, at `up`; they arrive as the session settings
-- heirloom.up_language and heirloom.up_dimension. The configuration is a copy of `simple` with a Snowball dictionary
-- that has no stop-word file: the embedded engine lacks the file of `english`, and a function word is weighed at
-- recall, not thrown away. Its name is the language, so that a store may one day have several.

create table heirloom.meta (
    only_row   boolean     primary key default true check (only_row),
    store_id   uuid        not null default gen_random_uuid(),
    dimension  integer     not null check (dimension between 1 and 16000),
    language   text        not null,
    version    text        not null,
    created_at timestamptz not null default now()
);

comment on table heirloom.meta is 'The store itself: one row.';
comment on column heirloom.meta.dimension is 'Width of heirloom.memory.embedding; narrower vectors are padded with zeros.';
comment on column heirloom.meta.version is 'The Heirloom that installed it.';

insert into heirloom.meta (dimension, language, version)
values (
    current_setting('heirloom.up_dimension')::integer,
    current_setting('heirloom.up_language'),
    current_setting('heirloom.up_version')
);

do $$
declare
    language text := current_setting('heirloom.up_language');
begin
    execute format('create text search configuration heirloom.%I (copy = pg_catalog.simple)', language);
    if language <> 'simple' then
        execute format(
            'create text search dictionary heirloom.%I (template = pg_catalog.snowball, language = %I)',
            language || '_stem', language
        );
        execute format(
            'alter text search configuration heirloom.%I
                 alter mapping for asciiword, asciihword, hword_asciipart, word, hword, hword_part
                 with heirloom.%I',
            language, language || '_stem'
        );
    end if;
end
$$;
