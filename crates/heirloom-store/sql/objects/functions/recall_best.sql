-- The best k of the rows that a call of heirloom.recall has gone through, each known by its number in the arrays. Looked at
-- are `numbers`, with what neighbours give them: all that may be among the best while the last of the k is above what any
-- other row can reach, which is its match, at most `beyond`, and its boost (heirloom.recall_boost). Else all are. beyond
-- NULL: there are no others.
--
-- A row that matches nothing itself comes up only as a neighbour in a session that has a name; asked by a vector alone,
-- every row that has one is ranked, those beyond a right angle last, and heirloom.recall keeps those of a positive cosine. Scores are rounded to nine
-- digits, so that equal rows are equal however their sums were added up.

create or replace function heirloom.recall_best(
    numbers integer[],
    contexts double precision[],
    beyond double precision,
    lexicals double precision[],
    semantics double precision[],
    boosts double precision[],
    times timestamptz[],
    ids uuid[],
    sessions bigint[],
    of_words double precision,
    of_meaning double precision,
    k integer,
    out number integer,
    out score double precision,
    out lexical double precision,
    out semantic double precision,
    out context double precision
) returns setof record
language plpgsql
stable
set search_path = pg_catalog
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    highest_boost constant double precision := 0.07;
    best integer[];
    scores double precision[];
begin
    loop
        select array_agg(r.number order by r.score desc, times[r.number] desc nulls last, ids[r.number]),
            array_agg(r.score order by r.score desc, times[r.number] desc nulls last, ids[r.number])
        into best, scores
        from (
            select f.number, round((f.match + f.context + boosts[f.number]) * 1e9) / 1e9 as score
            from (
                select c.number, c.context,
                    coalesce(lexicals[c.number] * of_words, 0) + coalesce(greatest(semantics[c.number], 0) * of_meaning, 0) as match
                from unnest(numbers, contexts) c(number, context)
                offset 0
            ) f
            where f.match > 0
                or (f.context > 0 and sessions[f.number] & 1 = 0)
                or (lexicals is null and semantics[f.number] is not null)
            order by score desc, times[f.number] desc nulls last, ids[f.number]
            limit k
        ) r;
        exit when beyond is null or (beyond = 0 and lexicals is not null) or scores[k] > beyond + highest_boost;
        select array_agg(a.number), array_agg(coalesce(c.context, 0))
        into numbers, contexts
        from generate_subscripts(ids, 1) a(number)
        left join unnest(numbers, contexts) c(number, context) on c.number = a.number;
        beyond := null;
    end loop;
    return query
    select b.number, b.score, coalesce(lexicals[b.number] * of_words, 0),
        coalesce(greatest(semantics[b.number], 0) * of_meaning, 0), contexts[array_position(numbers, b.number)]
    from unnest(best, scores) b(number, score);
end
$$;
