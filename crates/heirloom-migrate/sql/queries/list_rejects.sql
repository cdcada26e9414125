-- What was set aside. For whoever reads it ($6) in the order of its keys, whichever worker was faster; short ones first, so
-- that numbers stand in theirs; else by number. Page by page after the last one told ($4, its number).
-- Original bytes included: the caller decides what leaves the process.
select r.reject_id, r.run_id, r.ordinal, u.name, u.tenant, r.source, r.source_key, r.code, r.field, r.source_column, r.message,
       r.source_row::text as source_row, r.state, r.found_at
  from heirloom_migrate.reject as r
  join heirloom_migrate.run as u using (run_id)
 where ($1::text is null or u.name = $1)
   and ($2::text is null or r.source = $2)
   and ($3::text is null or r.state = $3)
   and case
           when $6::boolean and $4::bigint > 0 then
               (r.source, length(r.source_key), r.source_key collate "C", r.reject_id) > (
                   select a.source, length(a.source_key), a.source_key collate "C", a.reject_id
                     from heirloom_migrate.reject as a
                    where a.reject_id = $4
               )
           else r.reject_id > $4
       end
 order by case when $6::boolean then r.source end,
          case when $6 then length(r.source_key) end,
          case when $6 then r.source_key end collate "C",
          r.reject_id
 limit $5
