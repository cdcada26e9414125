-- What was set aside of a source, a line a reason, most frequent first. No keys, no messages, no bytes.
-- $1 source
select r.code, r.field, r.source_column,
       count(*) filter (where r.state = 'open') as open,
       count(*) filter (where r.state <> 'open') as resolved
  from heirloom_migrate.reject as r
 where r.source = $1
 group by r.code, r.field, r.source_column
 order by 4 desc, 5 desc, 1, 2, 3
