-- What a question asks for: its distinct lexemes, the query that finds a row with any of them, and, for scripts that
-- put no spaces between words (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese), the pairs of neighbouring
-- characters to look for as they stand. No word is an operator and none is dropped: a question of function words
-- alone still finds what holds them.

create or replace function heirloom.recall_terms(
    query_text text,
    out lexemes text[],
    out grams text[],
    out any_lexeme tsquery
)
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
declare
    unspaced constant text :=
        '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff'
        '\U00020000-\U0003134f]+';
begin
    lexemes := '{}';
    grams := '{}';
    if query_text is null then
        return;
    end if;

    if query_text ~ unspaced then
        -- Bounded: of a page of Chinese its first 256 pairs ask.
        select coalesce(array_agg(g.gram order by g.first_at), '{}')
        into grams
        from (
            select substr(r.run[1], i, 2) as gram, min(r.ordinal * 100000 + i) as first_at
            from regexp_matches(query_text, unspaced, 'g') with ordinality r(run, ordinal),
                generate_series(1, greatest(length(r.run[1]) - 1, 1)) i
            group by 1
            order by 2
            limit 256
        ) g;
    end if;

    -- Bounded as well: of a page of text its first 1,024 words ask.
    select coalesce(array_agg(l.lexeme), '{}')
    into lexemes
    from (
        select t.lexeme
        from unnest(to_tsvector(heirloom.text_config(), left(query_text, 65536))) t
        -- A run without spaces is one token to the parser; its pairs stand for it.
        where t.lexeme !~ ('^' || unspaced || '$')
        order by t.positions[1], t.lexeme
        limit 1024
    ) l;

    -- Quoted, so that nothing in a lexeme is read as syntax.
    select string_agg('''' || replace(replace(l.lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
    into any_lexeme
    from unnest(lexemes) l(lexeme);
end
$$;
