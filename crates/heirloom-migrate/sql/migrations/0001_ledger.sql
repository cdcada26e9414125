-- The ledger of migrations: what was planned, which chunk is done, what was set aside and why.
-- It lives in the target, so that a chunk's rows and its entry here commit together. It holds no memory content but
-- the original bytes of rejected rows, which are nowhere else.

create table heirloom_migrate.run (
    run_id        uuid        primary key,
    name          text        not null,
    tenant        text        not null,
    source        text        not null,
    plan_digest   text        not null,
    plan          json        not null,
    state         text        not null default 'applying'
                  check (state in ('applying', 'applied', 'verified', 'failed')),
    started_at    timestamptz not null default now(),
    applied_at    timestamptz,
    verified_at   timestamptz,
    heirloom      text        not null,
    actor         text        not null default session_user
);

create index run_by_name on heirloom_migrate.run (name, tenant, started_at);

create table heirloom_migrate.chunk (
    run_id       uuid    not null references heirloom_migrate.run,
    ordinal      integer not null check (ordinal >= 0),
    -- json: a key may hold characters that jsonb refuses, such as NUL in the text of a SQLite table.
    after_key    json,
    upto_key     json,
    state        text    not null default 'pending' check (state in ('pending', 'done')),
    rows         bigint  not null default 0,
    inserted     bigint  not null default 0,
    updated      bigint  not null default 0,
    present      bigint  not null default 0,
    forgotten    bigint  not null default 0,
    conflicts    bigint  not null default 0,
    rejected     bigint  not null default 0,
    source_sum   bytea   check (octet_length(source_sum) = 16),
    expected_sum bytea   check (octet_length(expected_sum) = 16),
    done_at      timestamptz,
    primary key (run_id, ordinal),
    check (state = 'pending' or (source_sum is not null and expected_sum is not null and done_at is not null))
);

create table heirloom_migrate.reject (
    reject_id     bigint  generated always as identity primary key,
    run_id        uuid    not null references heirloom_migrate.run,
    ordinal       integer not null,
    source        text    not null,
    source_key    text    not null,
    code          text    not null,
    field         text,
    source_column text,
    message       text    not null,
    source_row    json    not null,
    source_digest bytea   not null check (octet_length(source_digest) = 16),
    state         text    not null default 'open' check (state in ('open', 'resolved')),
    found_at      timestamptz not null default now(),
    resolved_at   timestamptz,
    resolved_by   uuid references heirloom_migrate.run
);

-- A key is set aside once, whichever run meets it. By its digest: a key may be longer than an index can hold.
create unique index reject_by_key on heirloom_migrate.reject (source, md5(source_key));

create table heirloom_migrate.conflict (
    conflict_id   bigint generated always as identity primary key,
    run_id        uuid   not null references heirloom_migrate.run,
    source        text   not null,
    source_key    text   not null,
    memory_id     uuid   not null,
    source_digest bytea  not null check (octet_length(source_digest) = 16),
    found_at      timestamptz not null default now()
);

create unique index conflict_by_key on heirloom_migrate.conflict (source, md5(source_key));

-- Append-only: each step of a run, by whom and when.
create table heirloom_migrate.event (
    event_id bigint      generated always as identity primary key,
    at       timestamptz not null default now(),
    run_id   uuid        not null references heirloom_migrate.run,
    actor    text        not null default session_user,
    step     text        not null,
    details  jsonb       not null default '{}'
);
