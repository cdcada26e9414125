-- The hash of an entry: sha256 over its fields, each framed by its length in bytes so that none can flow into the next,
-- and over the hash of the entry before. crates/heirloom-migrate/src/audit/entry.rs says the same in Rust.
create or replace function heirloom_migrate.audit_hash(entry heirloom_migrate.audit) returns bytea
language sql
immutable
set search_path = pg_catalog
as $body$
    select sha256(convert_to(string_agg(octet_length(convert_to(field, 'UTF8')) || ':' || field || ',', '' order by n), 'UTF8'))
    from unnest(array[
        encode(entry.prev, 'hex'),
        entry.run_id::text,
        entry.seq::text,
        (extract(epoch from entry.at) * 1000000)::bigint::text,
        (extract(epoch from entry.db_at) * 1000000)::bigint::text,
        entry.clock,
        entry.role,
        entry.place,
        entry.program,
        entry.what,
        encode(entry.payload_digest, 'hex')
    ]) with ordinality as f (field, n)
$body$;
