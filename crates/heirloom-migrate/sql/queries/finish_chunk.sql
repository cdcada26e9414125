-- Marks a chunk done with what its transaction did, and gives its lease back. One row, in the same transaction as the
-- rows themselves; no row when another runner has taken the chunk in the meantime, and then nothing may be committed.
-- What is NULL stays as it was: a chunk that was not read whole says nothing of its other rows. How it looks is not known then.
update heirloom_migrate.chunk
   set state = 'done',
       rows = coalesce($3, rows),
       inserted = inserted + $4,
       updated = updated + $5,
       present = coalesce($6, present),
       forgotten = coalesce($7, forgotten),
       conflicts = coalesce($8, conflicts),
       rejected = coalesce($9, rejected),
       source_sum = coalesce($10, source_sum),
       expected_sum = coalesce($11, expected_sum),
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
