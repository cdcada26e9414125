-- Whether a column is a marker of ours: a time that may be null, no key, and with the comment that says so. $1 oid;
-- $2 column; $3 comment
select a.atttypid = 'timestamptz'::regtype
   and not a.attnotnull
   and coalesce(pg_catalog.col_description(a.attrelid, a.attnum) = $3, false)
  from pg_catalog.pg_attribute as a
 where a.attrelid = $1::oid and a.attname = $2 and a.attnum > 0 and not a.attisdropped
