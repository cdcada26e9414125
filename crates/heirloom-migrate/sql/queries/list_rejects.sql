-- What was set aside, in the order of its keys. Original bytes included: the caller decides what leaves the process.
select r.reject_id, r.run_id, r.ordinal, u.name, u.tenant, r.source, r.source_key, r.code, r.field, r.source_column, r.message,
       r.source_row::text as source_row, r.state, r.found_at
  from heirloom_migrate.reject as r
  join heirloom_migrate.run as u using (run_id)
 where ($1::text is null or u.name = $1)
   and ($2::text is null or r.source = $2)
   and ($3::text is null or r.state = $3)
   and r.reject_id > $4
 order by r.reject_id
 limit $5
