-- How much a store holds, for `heirloom doctor`; run as heirloom_audit. A namespace counts where it is described and
-- where it holds a memory.
select (select count(*) from heirloom.memory) as memories,
       (
           select count(*)
           from (select n.name from heirloom.namespace n union select unnest(heirloom.namespaces_in_sight())) x
       ) as namespaces,
       (select count(*) from heirloom.tombstone) as tombstones
