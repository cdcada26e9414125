-- Of these namespaces the ones that recall may answer from, each once and in order, so that the order or repetition of a
-- request moves nothing. A namespace that has expired (heirloom.namespace.expires_at) answers nothing from that very
-- instant, whatever moment a call looks back to; its memories are kept, and listing shows them.

create or replace function heirloom.open_namespaces(namespaces text[], at timestamptz) returns text[]
language plpgsql
stable
set search_path = pg_catalog
as $$
declare
    closed constant text[] := array(
        select x.name
        from heirloom.namespace x
        where x.name = any (open_namespaces.namespaces)
            and x.expires_at <= greatest(open_namespaces.at, statement_timestamp())
    );
begin
    if cardinality(open_namespaces.namespaces) = 1 and cardinality(closed) = 0 then
        return array_remove(open_namespaces.namespaces, null);
    end if;
    return array(
        select distinct n.name collate "C"
        from unnest(open_namespaces.namespaces) n(name)
        where n.name <> all (closed)
        order by 1
    );
end
$$;
