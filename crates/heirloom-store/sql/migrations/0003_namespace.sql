-- Namespaces that have something to say about themselves. A memory may stand in one that nobody described.

create table heirloom.namespace (
    name       text        collate "C" primary key,
    kind       text        not null generated always as (split_part(name, ':', 1)) stored,
    expires_at timestamptz,
    metadata   jsonb,
    created_at timestamptz not null default now(),

    constraint namespace_name_check check (
        octet_length(name) <= 256 and name collate "C" ~ '^[a-z]+:[A-Za-z0-9_:.-]+$'
    )
);

comment on table heirloom.namespace is 'What is known of a namespace: its kind (the part before the first colon), when it ends, metadata.';
