-- Batches an operator loaded: which source, which ids, when. Kept by hand; the service role reads and writes it.

create or replace view pgmnemo.memory_ingest_log
with (security_invoker = true)
as
select l.id, l.source_origin, l.min_id, l.max_id, l.ingested_at, l.retired_at
from heirloom.ingest_log l;
