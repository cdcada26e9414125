-- What the last recorded comparison of a run counted; nothing when rows were written since. $1: the run.
select
    coalesce((e.details ->> 'equal')::bigint, 0) as equal,
    coalesce((
        select sum(x.value::bigint)
        from jsonb_each_text(case jsonb_typeof(e.details -> 'explained') when 'object' then e.details -> 'explained' else '{}'::jsonb end) as x
    ), 0)::bigint as explained
from heirloom_migrate.event e
where
    e.run_id = $1 and e.step = 'verified'
    and not exists (
        select
        from heirloom_migrate.event later
        where later.run_id = e.run_id and later.event_id > e.event_id and later.step in ('applied', 'applying')
    )
order by e.event_id desc
limit 1
