-- Counts the words of a namespace again once enough was written since: a fifth of what was counted, eight at least; the
-- first time at ten. Every door that writes one memory ends with this. Namespaces of more than 5,000 memories wait for
-- upkeep, because counting them takes longer than a writer should.

create or replace function heirloom.count_words_if_stale(in_namespace text) returns void
language plpgsql
set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    known heirloom.frequency;
    enough integer;
    fresh integer;
begin
    select f.* into known from heirloom.frequency f where f.namespace = in_namespace;
    if known.documents > 5000 then
        return;
    end if;
    enough := case when known.namespace is null then 10 else greatest(8, known.documents / 5) end;
    select count(*)
    into fresh
    from (
        select
        from heirloom.memory m
        where m.namespace = in_namespace and m.created_at > coalesce(known.counted_at, '-infinity')
        order by m.created_at desc nulls last
        limit enough
    ) n;
    if fresh >= enough then
        perform heirloom.count_words(in_namespace);
    end if;
end
$$;
