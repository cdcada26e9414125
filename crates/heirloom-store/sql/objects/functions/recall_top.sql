-- The matches of the rows that a call of heirloom.recall has gone through, each known by its number in the arrays, and the 41
-- best of them: what a row's words and its meaning count for (of_words and of_meaning, to be multiplied with the arrays),
-- the numbers, how far each stands out above the 41st, and what no other row's match exceeds (beyond; NULL when there are
-- no others).
--
-- best_lexical and best_semantic are the largest of the two arrays; NULL when nothing is above zero. Which of equal matches
-- is among the 41 makes no difference: the last of them lifts nobody, and heirloom.recall_best looks at all that reach it.

create or replace function heirloom.recall_top(
    lexicals double precision[],
    semantics double precision[],
    best_lexical double precision,
    best_semantic double precision,
    knows_one boolean,
    content_words text[],
    namespaces text[],
    out of_words double precision,
    out of_meaning double precision,
    out numbers integer[],
    out lifts double precision[],
    out beyond double precision
)
language plpgsql
stable
set search_path = pg_catalog
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
    words_count_for constant double precision := case
        when best_semantic is null then 1
        when best_lexical is null then 0
        when knows_one or heirloom.says_something(content_words, namespaces) then 0.6
        else 0
    end;
begin
    of_words := coalesce(words_count_for / best_lexical, 0);
    of_meaning := coalesce((1 - words_count_for) / best_semantic, 0);
    with top as materialized (
        select o.number, o.match,
            o.match - greatest(0.3, nth_value(o.match, 41) over (rows between unbounded preceding and unbounded following)) as lift
        from (
            select f.number, coalesce(f.l * of_words, 0) + coalesce(greatest(f.s, 0) * of_meaning, 0) as match
            from (
                select generate_series(1, greatest(cardinality(lexicals), cardinality(semantics))) as number,
                    unnest(lexicals) as l, unnest(semantics) as s
            ) f
            order by match desc, f.number
            limit 41
        ) o
    )
    select array_agg(t.number), array_agg(t.lift), (select min(t.match) from top t having count(*) = 41)
    into numbers, lifts, beyond
    from top t;
end
$$;
