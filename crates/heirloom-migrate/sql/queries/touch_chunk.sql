-- Adds what the changed rows of a chunk came to, and gives its lease back: the chunk was not read whole, so what it counts
-- of its source stays, and how it looked is not known any more. One row, in the same transaction as the rows; no row when another runner has taken the chunk.
update heirloom_migrate.chunk
   set inserted = inserted + $4,
       updated = updated + $5,
       restored = restored + $6,
       source_look = null,
       done_at = now(),
       holder = null,
       lease_until = null,
       holder_backend = null,
       holder_since = null
 where run_id = $1
   and ordinal = $2
   and fence = $3
