-- Takes the next chunk nobody works on: never claimed, or its lease ran out, or the session that took it is gone.
-- $1 run, $2 the runner, $3 length of the lease in milliseconds, $4 one chunk, whatever its state, instead of the next pending one
with next as (
    select c.ordinal
      from heirloom_migrate.chunk as c
     where c.run_id = $1
       and ($4::integer is null and c.state = 'pending' or c.ordinal = $4)
       and (c.lease_until is null
            or c.lease_until < clock_timestamp()
            or not exists (
                select from pg_stat_activity as a
                 where a.pid = c.holder_backend
                   and (a.backend_start is null or a.backend_start = c.holder_since)))
     order by c.ordinal
     limit 1
       for update skip locked)
update heirloom_migrate.chunk as c
   set fence = c.fence + 1,
       holder = $2,
       lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond',
       holder_backend = pg_backend_pid(),
       holder_since = (select a.backend_start from pg_stat_activity as a where a.pid = pg_backend_pid())
  from next
 where c.run_id = $1
   and c.ordinal = next.ordinal
returning c.ordinal, c.fence
