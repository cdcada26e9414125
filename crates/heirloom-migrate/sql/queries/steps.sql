-- The steps of a run, oldest first; the latest 500.
-- $1 run
select e.at, e.actor, e.step, e.details
  from (select x.* from heirloom_migrate.event as x where x.run_id = $1 order by x.event_id desc limit 500) as e
 order by e.event_id
