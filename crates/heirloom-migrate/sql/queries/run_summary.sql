-- One line a run: its chunks added up, and what it set aside and still waits, newest first. Inserted and updated count
-- over all passes, the others what the last pass found; a row that this run inserted is not there a second time.
-- $1: only these runs; NULL: all. As a list in either case, so that one plan by the key does for both.
select r.run_id, r.name, r.tenant, r.source, r.plan_digest, r.state, r.started_at, r.applied_at, r.verified_at, r.heirloom, r.actor,
       count(c.*) as chunks,
       count(c.*) filter (where c.state = 'done') as chunks_done,
       coalesce(sum(c.rows), 0)::bigint as rows,
       coalesce(sum(c.inserted), 0)::bigint as inserted,
       coalesce(sum(c.updated), 0)::bigint as updated,
       coalesce(sum(c.restored), 0)::bigint as restored,
       greatest(coalesce(sum(c.rows - c.inserted - c.forgotten - c.conflicts - c.rejected), 0), 0)::bigint as present,
       coalesce(sum(c.forgotten), 0)::bigint as forgotten,
       coalesce(sum(c.conflicts), 0)::bigint as conflicts,
       coalesce(sum(c.rejected), 0)::bigint as rejected,
       (select count(*) from heirloom_migrate.reject as w where w.run_id = r.run_id and w.state = 'open') as open
  from heirloom_migrate.run as r
  left join heirloom_migrate.chunk as c using (run_id)
 where r.run_id = any (coalesce($1::uuid[], (select array_agg(a.run_id) from heirloom_migrate.run as a)))
 group by r.run_id
 order by r.started_at desc, r.run_id
