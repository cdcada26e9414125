-- Marks a chunk done with what its transaction did, and gives its lease back. One row, in the same transaction as the
-- rows themselves; no row when another runner has taken the chunk in the meantime, and then nothing may be committed.
update heirloom_migrate.chunk
   set state = 'done',
       rows = $3,
       inserted = inserted + $4,
       updated = updated + $5,
       present = $6,
       forgotten = $7,
       conflicts = $8,
       rejected = $9,
       source_sum = $10,
       expected_sum = $11,
       source_look = $14,
       restored = restored + $12,
       done_at = now(),
       holder = null,
       lease_until = null,
       holder_backend = null,
       holder_since = null
 where run_id = $1
   and ordinal = $2
   and fence = $13
