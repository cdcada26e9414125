-- A process says that it is at work, how far it is, and what it waits for.
-- $1 the runner, $2 run, $3 process, $4 workers, $5 rows, $6 bytes, $7 why it waits
insert into heirloom_migrate.runner as r (runner_id, run_id, place, process, workers, rows, bytes, waiting)
values ($1, $2, coalesce(host(inet_client_addr()), 'this host'), $3, $4, $5, $6, $7)
    on conflict (runner_id) do update
   set heartbeat_at = now(),
       rows = excluded.rows,
       bytes = excluded.bytes,
       waiting = excluded.waiting
