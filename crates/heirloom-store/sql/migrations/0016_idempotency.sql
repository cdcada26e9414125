-- What was answered to a write that named a key, so that the same write again is answered the same and done once. Ids
-- and numbers, never content.

create table heirloom.idempotency (
    token_id       uuid        not null,
    key            text        collate "C" not null,
    request_sha256 bytea       not null,
    status         integer,
    response       jsonb,
    at             timestamptz not null default now(),

    constraint idempotency_pkey primary key (token_id, key),
    constraint idempotency_key_check check (octet_length(key) between 1 and 255),
    constraint idempotency_sha256_check check (octet_length(request_sha256) = 32)
);

comment on table heirloom.idempotency is 'Answers by token and key, for a day. No tenant reads it.';
comment on column heirloom.idempotency.status is 'NULL while the write is at work.';

create index idempotency_at on heirloom.idempotency (at);
