-- What a chunk looked like when it was found clean.
-- $1 run, $2 chunk, $3 when, $4 and $5 count and sum at the source, $6 and $7 at the store, $8 what was found
insert into heirloom_migrate.leaf
    (run_id, ordinal, swept_at, source_rows, source_mark, target_rows, target_mark, verdict)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (run_id, ordinal) do update
   set swept_at = excluded.swept_at,
       source_rows = excluded.source_rows,
       source_mark = excluded.source_mark,
       target_rows = excluded.target_rows,
       target_mark = excluded.target_mark,
       verdict = excluded.verdict
