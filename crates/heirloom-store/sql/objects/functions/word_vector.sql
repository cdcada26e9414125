-- The words of a memory as BM25 counts them: at the hash of each lexeme tf·1.9 / (tf + 0.9·(0.6 + 0.4·len/40)), where
-- len is the number of distinct lexemes. What is rare is decided by the question (heirloom.question_vector).
-- hashtext is what hash indexes on text are made of, so it stays what it is from version to version.
--
-- This runs for every row that is written: no grouping where no two lexemes share a hash (one text in a million has
-- such a pair), no sorting where the type has room for all (16,000), and no search path of its own to set.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    execute format($ddl$
create or replace function heirloom.word_vector(words tsvector) returns %1$I.sparsevec
language plpgsql
immutable
strict
parallel safe
as $body$
declare
    saturation constant double precision := 0.9 * (0.6 + 0.4 * length(words) / 40.0);
    -- Most words stand once.
    of_one constant text := ':' || (1.9 / (1 + saturation))::real || ',';
    elements text;
    places bigint;
begin
    select
        string_agg(
            (hashtext(t.lexeme) & 536870911) + 1
            || case cardinality(t.positions)
                when 1 then of_one
                else ':' || (cardinality(t.positions) * 1.9 / (cardinality(t.positions) + saturation))::real || ','
            end,
            ''
        ),
        count(distinct hashtext(t.lexeme) & 536870911)
    into elements, places
    from unnest(words) t;
    if places <> length(words) or places > 16000 then
        select string_agg(e.at || ':' || e.value || ',', '')
        into elements
        from (
            select (hashtext(t.lexeme) & 536870911) + 1 as at,
                max(cardinality(t.positions) * 1.9 / (cardinality(t.positions) + saturation))::real as value
            from unnest(words) t
            group by 1
            order by 2 desc
            limit 16000
        ) e;
    end if;
    return ('{' || rtrim(coalesce(elements, ''), ',') || '}/536870912')::%1$I.sparsevec;
end
$body$
$ddl$, pgvector);
end
$do$;
