-- What a question asks for: its distinct lexemes, any of which may match; what it requires ("a quoted phrase"); what it
-- refuses (-word, -"a phrase"). A minus counts before a word of two letters or more that follows a space, so that
-- neither -1 nor --release nor -p is one. OR between words says what recall does anyhow; beside a phrase it takes the demand
-- away. Bounded: of a page of text its
-- first 1,024 words ask.

-- What a function gives back cannot be replaced.
drop function if exists heirloom.recall_terms(text);

create or replace function heirloom.recall_terms(
    query_text text,
    out lexemes text[],
    out required tsquery,
    out refused tsquery
)
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
declare
    config constant regconfig := heirloom.text_config();
    said text := left(query_text, 65536);
    minus constant text := '(^|\s)-("[^"]*"|[^\s"[:digit:][:punct:]][^\s"[:punct:]][^\s"]*)';
    -- A phrase beside OR is one of several that may be there, and so is none that must.
    demanded text;
    phrase record;
begin
    lexemes := '{}';
    if said is null then
        return;
    end if;
    if strpos(said, '-') > 0 and said ~ minus then
        for phrase in
            select phraseto_tsquery(config, heirloom.searchable(f.found[2], false)) as words
            from regexp_matches(said, minus, 'g') f(found)
        loop
            if numnode(phrase.words) > 0 then
                refused := case when refused is null then phrase.words else refused || phrase.words end;
            end if;
        end loop;
        said := regexp_replace(said, minus, ' ', 'g');
    end if;
    demanded := said;
    if strpos(said, ' OR ') > 0 then
        demanded := regexp_replace(said, '("[^"]+"|\S+)(\s+OR\s+("[^"]+"|\S+))+', ' ', 'g');
    end if;
    if strpos(demanded, '"') > 0 then
        for phrase in
            select phraseto_tsquery(config, heirloom.searchable(f.found[1], false)) as words
            from regexp_matches(demanded, '"([^"]+)"', 'g') f(found)
        loop
            if numnode(phrase.words) > 0 then
                required := case when required is null then phrase.words else required && phrase.words end;
            end if;
        end loop;
    end if;
    if strpos(said, ' OR ') > 0 then
        said := replace(said, ' OR ', ' ');
    end if;
    lexemes := tsvector_to_array(to_tsvector(config, heirloom.searchable(said)));
    -- Of a script without spaces a pair asks; a single character asks only where it stands alone.
    if octet_length(said) <> length(said) then
        lexemes := array(
            select a.lexeme
            from unnest(lexemes) a(lexeme)
            where length(a.lexeme) > 1
                or ascii(a.lexeme) < 3584
                or not exists (select from unnest(lexemes) b(lexeme) where length(b.lexeme) = 2 and strpos(b.lexeme, a.lexeme) > 0)
        );
    end if;
    if cardinality(lexemes) > 1024 then
        lexemes := array(
            select t.lexeme
            from unnest(to_tsvector(config, heirloom.searchable(said))) t
            order by t.positions[1], t.lexeme
            limit 1024
        );
    end if;
end
$$;
