-- The live columns of relations, in their order. $1: oids.
select a.attrelid as relation,
       a.attnum as number,
       a.attname::text as name,
       a.atttypid as type,
       a.atttypmod as modifier,
       a.attnotnull as not_null,
       a.attgenerated <> '' as generated
from pg_catalog.pg_attribute a
where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
