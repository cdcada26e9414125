-- The columns of a table that are carried, in their order: those that are computed come again by themselves. $1 oid
select quote_ident(a.attname)
  from pg_catalog.pg_attribute as a
 where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
 order by a.attnum
