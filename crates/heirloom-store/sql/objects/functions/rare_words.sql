-- The query that finds the rows of one large namespace worth scoring: any of the question's rarest lexemes, as many as
-- 2,000 rows hold together, and in any case until `at_least` rows hold one, for who found fewer than were asked for. Twice
-- as many cost twice the time at 100,000 rows and found no more. Function words stand in only when the question has nothing
-- else.

-- Of earlier versions, without at_least.
drop function if exists heirloom.rare_words(text[], text[], text);

create or replace function heirloom.rare_words(
    lexemes text[],
    content_words text[],
    in_namespace text,
    at_least integer
) returns tsquery
language plpgsql
stable
set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
as $$
begin
    return (
        -- Quoted, so that nothing in a lexeme is read as syntax.
        select string_agg('''' || replace(replace(r.lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
        from (
            select w.lexeme, w.df, sum(w.df) over (order by w.df, w.lexeme) - w.df as before
            from (
                select l.lexeme, coalesce(x.df, 0) as df
                from unnest(case when cardinality(content_words) > 0 then content_words else lexemes end) l(lexeme)
                left join heirloom.lexeme x on x.namespace = in_namespace and x.lexeme = l.lexeme
            ) w
        ) r
        where r.before + r.df <= 2000 or r.before < at_least
    );
end
$$;
