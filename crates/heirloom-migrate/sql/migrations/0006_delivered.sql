-- Rows handed down into a target that is no store of ours, which keeps no heirloom.origin: what was written when, by which
-- an edit over there is told from what was handed down. Digests and keys, never content.
create table heirloom_migrate.delivered (
    -- As reject.source and conflict.source; the target is part of it.
    source         text  not null,
    id             uuid  not null,
    source_key     text  not null,
    run_id         uuid  not null references heirloom_migrate.run,
    source_digest  bytea not null check (octet_length(source_digest) = 16),
    written_digest bytea not null check (octet_length(written_digest) = 16),
    delivered_at   timestamptz not null default now(),
    primary key (source, id)
);
