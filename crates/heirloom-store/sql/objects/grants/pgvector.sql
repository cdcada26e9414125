-- pgvector may live in a schema that is not open to everyone.

do $$
declare
    pgvector name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    if not has_schema_privilege('heirloom_serve', pgvector, 'usage')
        or not has_schema_privilege('heirloom_service', pgvector, 'usage')
        or not has_schema_privilege('heirloom_audit', pgvector, 'usage')
    then
        execute format('grant usage on schema %I to heirloom_serve, heirloom_service, heirloom_audit', pgvector);
    end if;
end
$$;
