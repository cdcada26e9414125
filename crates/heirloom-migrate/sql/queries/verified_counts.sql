-- What the newest recorded comparison of a run counted, a sweep of its soak among them; nothing when rows were written since.
-- $1: the run.
with newest as (
    select a.seq, a.payload::jsonb as found
    from heirloom_migrate.audit as a
    where a.run_id = $1 and a.what in ('verified', 'compared', 'sweep')
    order by a.seq desc
    limit 1
)
select
    coalesce((n.found ->> 'equal')::bigint, 0) as equal,
    coalesce((
        select sum(x.value::bigint)
        from jsonb_each_text(case jsonb_typeof(n.found -> 'explained') when 'object' then n.found -> 'explained' else '{}'::jsonb end) as x
    ), 0)::bigint as explained
from newest as n
where not exists (
    select
    from heirloom_migrate.audit as later
    where
        later.run_id = $1 and later.seq > n.seq
        and (
            later.what in ('applied', 'applying')
            or later.what = 'caught-up' and coalesce(later.payload::jsonb ->> 'written', '1') <> '0'
        )
)
