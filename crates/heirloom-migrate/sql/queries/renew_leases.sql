-- A heartbeat: what the runner holds it goes on holding. A chunk that somebody else took has another holder.
-- $1 run, $2 the runner, $3 length of the lease in milliseconds
update heirloom_migrate.chunk
   set lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond'
 where run_id = $1
   and holder = $2
   and lease_until is not null
