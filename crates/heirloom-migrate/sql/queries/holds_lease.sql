-- Whether a fencing token is still the newest of its chunk.
-- $1 run, $2 chunk, $3 token
select c.fence = $3
  from heirloom_migrate.chunk as c
 where c.run_id = $1
   and c.ordinal = $2
