-- Indexes that were made for a namespace and that none uses any more: it was deleted, has shrunk or gave way. Named by a
-- hash of the namespace (upkeep/index.rs). Read by the auditing role.
select c.relname::text as name
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
where i.indrelid = 'heirloom.memory'::regclass
    and c.relname ~ '^memory_(words|signs)_[0-9a-f]+$'
    and not exists (
        select
        from heirloom.frequency f
        where f.is_indexed and to_hex(hashtextextended(f.namespace, 0)) = split_part(c.relname::text, '_', 3)
    )
order by c.relname
