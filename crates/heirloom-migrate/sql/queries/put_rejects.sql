-- Sets rows aside. A key that was set aside before gets the newest reason and bytes and is open again; it belongs to the
-- run that met it last, so that the open rows of a run are those it counts.
insert into heirloom_migrate.reject as r
       (run_id, ordinal, source, source_key, code, field, source_column, message, source_row, source_digest)
select $1, $2, $3, t.source_key, t.code, t.field, t.source_column, t.message, t.source_row::json, t.source_digest
  from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[])
       as t (source_key, code, field, source_column, message, source_row, source_digest)
    on conflict (source, md5(source_key)) do update
   set run_id = excluded.run_id,
       ordinal = excluded.ordinal,
       code = excluded.code,
       field = excluded.field,
       source_column = excluded.source_column,
       message = excluded.message,
       source_row = excluded.source_row,
       source_digest = excluded.source_digest,
       state = 'open',
       found_at = now(),
       resolved_at = null,
       resolved_by = null
 where r.source_digest <> excluded.source_digest
    or r.code <> excluded.code
    or r.field is distinct from excluded.field
    or r.state <> 'open'
    or r.run_id <> excluded.run_id
