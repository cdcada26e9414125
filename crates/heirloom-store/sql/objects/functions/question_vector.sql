-- The weight of each lexeme of a question, at its hash: w = ln(1 + (N − df + 0.5)/(df + 0.5)), a function word 0.15 of
-- it. N and df are those of the asked namespaces alone: nothing one tenant writes moves another's scores. Below ten
-- counted memories every lexeme is equally rare. A language without a list of function words takes w to the power 1.3
-- instead.
--
-- content_words are the lexemes that are no function words; knows_one says whether one of them was ever counted.

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
create or replace function heirloom.question_vector(
    lexemes text[],
    namespaces text[],
    out weights %1$I.sparsevec,
    out content_words text[],
    out knows_one boolean
)
language plpgsql
stable
set search_path = pg_catalog, %1$I
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $body$
declare
    counted double precision;
begin
    select sum(f.documents) into counted
    from heirloom.frequency f
    where f.namespace = any (question_vector.namespaces)
    having sum(f.documents) >= 10;
    -- The list of function words is spelt out where it is used: as a constant it is looked up, not gone through.
    select ('{' || string_agg(e.at || ':' || e.weight, ',') || '}/536870912')::sparsevec,
        array_agg(e.content_word) filter (where e.content_word is not null), bool_or(e.knows_one)
    into weights, content_words, knows_one
    from (
        select (hashtext(w.lexeme) & 536870911) + 1 as at,
            max(
                case when w.is_function_word then 0.15::double precision else 1 end
                * case
                    when counted is null then 1
                    else power(
                        ln(1 + (greatest(counted, w.df) - w.df + 0.5) / (w.df + 0.5)),
                        case when cardinality(heirloom.function_words()) = 0 then 1.3::double precision else 1 end
                    )
                end
            )::real as weight,
            max(w.lexeme) filter (where not w.is_function_word) as content_word,
            bool_or(not w.is_function_word and w.df > 0) as knows_one
        from (
            select l.lexeme, l.lexeme = any (heirloom.function_words()) as is_function_word,
                coalesce(x.df, 0)::double precision as df
            from unnest(question_vector.lexemes) l(lexeme)
            left join (
                select x.lexeme, sum(x.df) as df
                from heirloom.lexeme x
                where x.namespace = any (question_vector.namespaces) and x.lexeme = any (question_vector.lexemes)
                group by x.lexeme
            ) x on x.lexeme = l.lexeme
        ) w
        group by 1
    ) e;
end
$body$
$ddl$, pgvector);
end
$do$;
