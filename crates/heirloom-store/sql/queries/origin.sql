-- Where a memory of the scope was handed down from, with its source row as it was kept. $1 id, $2 namespace
select o.run_id, o.source, o.source_key, o.source_row::text as source_row, o.source_digest, o.written_digest,
    o.handed_down_at
from heirloom.origin o
where o.id = $1 and o.namespace = $2
