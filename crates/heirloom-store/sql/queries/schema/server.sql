-- What the server offers, for the requirements of `up`. $1: the language.
select
    current_setting('server_version_num')::integer as version_num,
    current_setting('server_version') as version,
    current_setting('server_encoding') as encoding,
    (select e.extversion from pg_catalog.pg_extension e where e.extname = 'vector') as installed,
    (select a.default_version from pg_catalog.pg_available_extensions a where a.name = 'vector') as available,
    exists (
        select
        from pg_catalog.pg_ts_dict d
        where d.dictnamespace = 'pg_catalog'::regnamespace and d.dictname = $1 || '_stem'
    ) as has_stemmer
