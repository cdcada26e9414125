-- Column sets that may identify a row, by the numbers of the columns: the primary key, and unique indexes over plain columns.
-- Whether a column can be null, the columns tell. $1: oids.
select i.indrelid as relation,
       i.indisprimary as is_primary,
       (i.indkey::int2[])[0:i.indnkeyatts - 1] as columns
from pg_catalog.pg_index i
where i.indrelid = any ($1::oid[])
  and i.indisunique
  and i.indisvalid
  and i.indimmediate
  and i.indpred is null
  and i.indexprs is null
order by i.indrelid, i.indisprimary desc, i.indexrelid
