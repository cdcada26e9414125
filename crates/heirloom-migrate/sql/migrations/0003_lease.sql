-- Who works on which chunk, until when and under which fencing token, and who is at work now. A lease says who should
-- work; only the token, compared in the transaction that writes, says who may.
alter table heirloom_migrate.chunk
    add column fence          bigint      not null default 0,
    add column holder         uuid,
    add column lease_until    timestamptz,
    -- The session that took the lease. When it is gone, so is its process, and nobody waits for the lease to run out.
    add column holder_backend integer,
    add column holder_since   timestamptz;

create index chunk_pending on heirloom_migrate.chunk (run_id, ordinal) where state = 'pending';

-- One row a process at work, written while it writes chunks and removed when it ends. Nothing is decided by it.
create table heirloom_migrate.runner (
    runner_id      uuid        primary key,
    run_id         uuid        not null references heirloom_migrate.run,
    place          text        not null,
    process        integer     not null,
    workers        integer     not null,
    started_at     timestamptz not null default now(),
    heartbeat_at   timestamptz not null default now(),
    rows           bigint      not null default 0,
    bytes          bigint      not null default 0,
    -- Why it waits, in words; null while it works.
    waiting        text
);
