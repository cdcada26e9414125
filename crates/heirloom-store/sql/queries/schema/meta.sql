-- What the store says about itself, and where pgvector lives.
select
    m.store_id,
    m.dimension,
    m.language,
    m.version,
    n.nspname::text as vector_schema
from heirloom.meta m
cross join pg_catalog.pg_extension e
join pg_catalog.pg_namespace n on n.oid = e.extnamespace
where e.extname = 'vector'
