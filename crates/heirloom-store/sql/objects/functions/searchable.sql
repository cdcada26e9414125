-- The text as it is split into words: normalised (NFKC), in lower case whatever the database's locale, scripts without
-- spaces in pairs, and identifiers by their parts (statement_cache_mode, parseHeader, src/main.rs, 2026-11-22). Each
-- identifier follows once more at the end, without its separators, so that statementCacheMode finds
-- statement_cache_mode; at the end, because the words between must keep their distances for quoted phrases.

do $do$
declare
    -- A collation that knows letters beyond ASCII: built in since PostgreSQL 17, else from ICU, else from libc. Not
    -- `unicode`: its row is there even where the server was built without ICU.
    letters constant name := (
        select c.collname
        from pg_catalog.pg_collation c
        join unnest(array['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8', 'en_US.utf8', 'default'])
            with ordinality wanted(name, preference) on wanted.name = c.collname
        where c.collencoding in (-1, 6)
        order by wanted.preference
        limit 1
    );
begin
    execute format($ddl$
create or replace function heirloom.searchable(content text, with_identifiers boolean default true) returns text
language plpgsql
immutable
strict
parallel safe
as $body$
declare
    said text collate %1$I := content;
    identifiers text;
begin
    if octet_length(said) <> length(said) then
        said := normalize(said, nfkc);
        if said ~ '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]'
        then
            said := heirloom.spaced(said);
        end if;
    end if;
    if said ~ '[[:alnum:]][-_/.@\\]+[[:alnum:]]|[[:lower:]][[:upper:]]' then
        select string_agg(translate(found.whole[1], '-_/.@\', ''), ' ')
        into identifiers
        from regexp_matches(
            said,
            '([[:alnum:]]+(?:[-_/.@\\]+[[:alnum:]]+)+|[[:alnum:]]*[[:lower:]][[:upper:]][[:alnum:]]*)', 'g'
        ) found(whole);
        said := regexp_replace(said, '([[:lower:]])([[:upper:]])', '\1 \2', 'g');
        said := regexp_replace(said, '([[:alnum:]])[-_/.@\\]+(?=[[:alnum:]])', '\1 ', 'g')
            || case when with_identifiers then ' ' || identifiers else '' end;
    end if;
    return lower(said);
end
$body$
$ddl$, letters);
end
$do$;
