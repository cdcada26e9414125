-- How much a store holds, for `heirloom doctor`; run as heirloom_audit.
select (select count(*) from heirloom.memory) as memories,
       (select count(*) from heirloom.namespace) as namespaces,
       (select count(*) from heirloom.tombstone) as tombstones
