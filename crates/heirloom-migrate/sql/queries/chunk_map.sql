-- The chunk map of a run: one character for each stretch of chunks, at most 64 of them.
-- $1 run
select case when bool_and(c.state = 'done') then '#'
            when bool_or(c.state = 'done') then '+'
            when bool_or(c.holder is not null) then '>'
            else '.' end as mark
  from (select c.state, c.holder, ntile(64) over (order by c.ordinal) as stretch
          from heirloom_migrate.chunk as c
         where c.run_id = $1) as c
 group by c.stretch
 order by c.stretch
