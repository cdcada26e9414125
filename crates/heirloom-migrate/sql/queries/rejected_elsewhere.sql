-- Rows that all other chunks of a run have set aside.
-- $1 run, $2 the chunk that is left out
select coalesce(sum(c.rejected), 0)::bigint
  from heirloom_migrate.chunk as c
 where c.run_id = $1
   and c.ordinal <> $2
