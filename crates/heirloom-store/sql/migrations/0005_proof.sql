-- What proves: what was forgotten, what was done, where a migrated row came from.
--
-- No foreign key leads from here to heirloom.memory: a tombstone stands where the memory is gone, and an origin that
-- vanished together with a row somebody deleted by hand could no longer prove that the row is missing. `forget`
-- removes the origin itself, because it holds the source row.

create table heirloom.tombstone (
    id           uuid        not null,
    namespace    text        collate "C" not null,
    forgotten_at timestamptz not null default now(),
    actor        text        not null default session_user,
    reason       text,

    -- By id first: an import asks for an id in whatever namespace it was forgotten.
    constraint tombstone_pkey primary key (id, namespace)
);

comment on table heirloom.tombstone is 'What was forgotten, so that nothing resurrects it.';

create table heirloom.activity (
    id             bigint      generated always as identity primary key,
    at             timestamptz not null default now(),
    actor          text        not null default session_user,
    action         text        not null,
    namespace      text        collate "C",
    memory_id      uuid,
    content_sha256 bytea,
    details        jsonb,

    constraint activity_sha256_check check (octet_length(content_sha256) = 32)
);

comment on table heirloom.activity is 'Append-only: who did what. The sha256 of a content, never the content.';
comment on column heirloom.activity.namespace is 'NULL for an act on several namespaces at once; only the audit reads those.';

create index activity_namespace on heirloom.activity (namespace, id);

create table heirloom.origin (
    id             uuid        not null,
    namespace      text        collate "C" not null,
    run_id         uuid        not null,
    source         text        not null,
    source_key     text        not null,
    source_row     json        not null,
    source_digest  bytea       not null,
    written_digest bytea       not null,
    handed_down_at timestamptz not null default now(),

    -- By id first: a re-run asks for an id in whatever namespace it was handed down to.
    constraint origin_pkey primary key (id, namespace),
    constraint origin_source_digest_check check (octet_length(source_digest) = 16),
    constraint origin_written_digest_check check (octet_length(written_digest) = 16)
);

comment on table heirloom.origin is 'For each migrated row: run, source, key, the source row verbatim, its digest and the digest of what was written.';
comment on column heirloom.origin.source_row is 'json, not jsonb: the text is kept byte for byte.';
