-- The sequences that are a table's own: name, name as a literal, and where each starts. $1 oid; names in the search path are
-- not qualified.
select quote_ident(q.relname), quote_literal(quote_ident(q.relname)), s.seqstart
  from pg_catalog.pg_depend as d
  join pg_catalog.pg_sequence as s on s.seqrelid = d.objid
  join pg_catalog.pg_class as q on q.oid = s.seqrelid
 where d.refclassid = 'pg_class'::regclass and d.refobjid = $1 and d.refobjsubid > 0
   and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
 order by d.refobjsubid, q.relname
