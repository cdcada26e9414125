-- Every namespace of which row-level security shows the caller a memory. One step of the index a namespace.

create or replace function heirloom.namespaces_in_sight() returns text[]
language plpgsql
stable
set search_path = pg_catalog
set enable_seqscan = off
as $$
begin
    return array(
        with recursive seen as (
            (select m.namespace from heirloom.memory m order by m.namespace limit 1)
            union all
            select (
                select m.namespace from heirloom.memory m where m.namespace > s.namespace order by m.namespace limit 1
            )
            from seen s
            where s.namespace is not null
        )
        select s.namespace from seen s where s.namespace is not null
    );
end
$$;
