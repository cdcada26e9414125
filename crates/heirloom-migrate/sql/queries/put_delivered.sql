-- Rows handed down into a foreign target, or again. $1 run, $2 source, $3 ids, $4 keys, $5 and $6 digests
insert into heirloom_migrate.delivered as d (source, id, source_key, run_id, source_digest, written_digest)
select $2, r.id, r.source_key, $1, r.source_digest, r.written_digest
from unnest($3::uuid[], $4::text[], $5::bytea[], $6::bytea[]) as r (id, source_key, source_digest, written_digest)
on conflict (source, id) do update
set run_id = excluded.run_id,
    source_digest = excluded.source_digest,
    written_digest = excluded.written_digest,
    delivered_at = excluded.delivered_at
where (d.source_digest, d.written_digest) is distinct from (excluded.source_digest, excluded.written_digest)
