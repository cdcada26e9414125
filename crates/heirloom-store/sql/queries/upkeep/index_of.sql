-- Whether an index of heirloom.memory is there, and whole: one whose making was interrupted is not. $1: its name.
select i.indisvalid as is_valid
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
where i.indrelid = 'heirloom.memory'::regclass and c.relname = $1
