-- Counts the words of a namespace again once enough was written since: a fifth of what was counted, eight at least; the
-- first time at ten. Every door that writes ends with this; `came` is how many this statement brought, whose times may
-- be old. Namespaces of more than 5,000 memories wait for upkeep or a load of a fifth of them, because counting takes
-- longer than a writer should. Whoever finds another counting leaves it to that one and waits for nobody.

drop function if exists heirloom.count_words_if_stale(text);

create or replace function heirloom.count_words_if_stale(in_namespace text, came integer default 1) returns void
language plpgsql
set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    known heirloom.frequency;
    enough integer;
    fresh integer := came;
begin
    select f.* into known from heirloom.frequency f where f.namespace = in_namespace;
    enough := case when known.namespace is null then 10 else greatest(8, known.documents / 5) end;
    if known.documents > 5000 and came < enough then
        return;
    end if;
    if fresh < enough then
        select count(*)
        into fresh
        from (
            select
            from heirloom.memory m
            where m.namespace = in_namespace and m.created_at > coalesce(known.counted_at, '-infinity')
            order by m.created_at desc nulls last
            limit enough
        ) n;
    end if;
    if fresh >= enough and pg_try_advisory_xact_lock(hashtext('heirloom.count_words'), hashtext(in_namespace)) then
        perform heirloom.count_words(in_namespace);
    end if;
end
$$;
