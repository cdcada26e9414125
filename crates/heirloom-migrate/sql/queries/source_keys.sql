-- Column sets that identify a row: the primary key, and unique indexes over plain columns that are all NOT NULL. $1: oids.
select i.indrelid as relation,
       i.indisprimary as is_primary,
       array(
           select a.attname::text
           from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
           join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where k.position <= i.indnkeyatts
           order by k.position
       ) as columns
from pg_catalog.pg_index i
where i.indrelid = any ($1::oid[])
  and i.indisunique
  and i.indisvalid
  and i.indimmediate
  and i.indpred is null
  and i.indexprs is null
  and not exists (
      select 1
      from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.position <= i.indnkeyatts and not a.attnotnull
  )
order by i.indrelid, i.indisprimary desc, i.indexrelid
