-- Who is at work on a run, longest first, with the seconds since each was last heard.
-- $1 run
select r.runner_id, r.place, r.process, r.workers, r.started_at, r.rows, r.bytes, r.waiting,
       extract(epoch from clock_timestamp() - r.heartbeat_at)::double precision as silent,
       extract(epoch from r.heartbeat_at - r.started_at)::double precision as worked,
       (select count(*) from heirloom_migrate.chunk as c where c.run_id = r.run_id and c.holder = r.runner_id) as chunks
  from heirloom_migrate.runner as r
 where r.run_id = $1
 order by r.started_at, r.runner_id
