-- The columns of a relation, and whether this role may read each. $1: oid.
select a.attname::text as name,
       has_column_privilege(a.attrelid, a.attnum, 'select') as may_read
from pg_catalog.pg_attribute a
where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
order by a.attnum
