-- The lexemes of the words that hold a sentence together in this store's language; recall weighs them 0.15, because in
-- a small scope "did" and "when" are as rare as what was meant. Empty for a language without a list, where recall
-- raises every weight to the power 1.3 instead. The lexemes are worked out here, once, and stand in the function as
-- a constant.

do $$
declare
    english constant text := '
        a about above after again against all also am an and any are aren as at be because been before being below
        between both but by can could couldn d did didn do does doesn doing don down during each few for from further
        had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its
        itself just ll m ma may me might mightn more most must mustn my myself need needn no nor not now o of off on
        once only or other our ours ourselves out over own re s same shall shan she should shouldn so some such t than
        that the their theirs them themselves then there these they this those through to too under until up us ve very
        was wasn we were weren what when where which while who whom whose why will with won would wouldn y yes you your
        yours yourself yourselves';
    words constant text := case (select m.language from heirloom.meta m) when 'english' then english else '' end;
begin
    execute format(
        'create or replace function heirloom.function_words() returns text[]
         language sql immutable parallel safe
         as %L',
        format('select %L::text[]', tsvector_to_array(to_tsvector(heirloom.text_config(), words)))
    );
end
$$;
