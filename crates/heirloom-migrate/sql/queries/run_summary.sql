-- One line a run: its chunks added up, newest first.
select r.run_id, r.name, r.tenant, r.source, r.plan_digest, r.state, r.started_at, r.applied_at, r.verified_at, r.heirloom, r.actor,
       count(c.*) as chunks,
       count(c.*) filter (where c.state = 'done') as chunks_done,
       coalesce(sum(c.rows), 0)::bigint as rows,
       coalesce(sum(c.inserted), 0)::bigint as inserted,
       coalesce(sum(c.updated), 0)::bigint as updated,
       coalesce(sum(c.present), 0)::bigint as present,
       coalesce(sum(c.forgotten), 0)::bigint as forgotten,
       coalesce(sum(c.conflicts), 0)::bigint as conflicts,
       coalesce(sum(c.rejected), 0)::bigint as rejected
  from heirloom_migrate.run as r
  left join heirloom_migrate.chunk as c using (run_id)
 where ($1::uuid is null or r.run_id = $1)
 group by r.run_id
 order by r.started_at desc, r.run_id
