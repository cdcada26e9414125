-- Whether pgvector is older than 0.8.2, whose graphs several workers may build together.
select (string_to_array(regexp_replace(e.extversion, '[^0-9.].*', ''), '.')::integer[] < array[0, 8, 2])
from pg_catalog.pg_extension e
where e.extname = 'vector'
