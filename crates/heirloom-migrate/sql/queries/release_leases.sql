-- Gives back what a runner holds and has not done. The token stays: whoever still writes under it is refused later on.
-- $1 run, $2 the runner; null: every runner's, where no other process can be at work
update heirloom_migrate.chunk
   set holder = null, lease_until = null, holder_backend = null, holder_since = null
 where run_id = $1
   and holder is not null
   and ($2::uuid is null or holder = $2)
