-- The soak and what follows it: a chain of entries that proves each step, the leaves of the last clean sweep, and the
-- states a run can be in. What guards them is in sql/objects: the database itself refuses an illegal step.

-- Append-only and hash-chained, one chain a run. The trigger audit_append fills in everything that a program might be
-- wrong about: number, role, place, the database's own clock, digests.
create table heirloom_migrate.audit (
    run_id         uuid        not null references heirloom_migrate.run,
    seq            bigint      not null check (seq >= 1),
    -- The clock of the program, which the soak counts by; the database's where no program said.
    at             timestamptz not null,
    db_at          timestamptz not null,
    clock          text        not null check (clock in ('system', 'database', 'simulated')),
    role           text        not null,
    place          text        not null,
    program        text        not null check (program ~ '^[0-9]+\.[0-9]+\.[0-9]+$'),
    what           text        not null,
    -- JSON as text: the digest is over its bytes. Counts, keys and digests, never content.
    payload        text        not null,
    payload_digest bytea       not null check (octet_length(payload_digest) = 32),
    prev           bytea       not null check (octet_length(prev) = 32),
    hash           bytea       not null check (octet_length(hash) = 32),
    -- In which transaction it was written: a step and its proof commit together. Not part of the hash.
    xid            xid8        not null,
    primary key (run_id, seq)
);

-- What a chunk looked like when a sweep last found it clean; a chunk that still looks so is not read again.
create table heirloom_migrate.leaf (
    run_id      uuid        not null references heirloom_migrate.run,
    ordinal     integer     not null check (ordinal >= 0),
    swept_at    timestamptz not null,
    -- Count and sum over the versions of the source's rows, and over those of the store's.
    source_rows bigint      not null,
    source_mark bytea       not null check (octet_length(source_mark) = 16),
    target_rows bigint      not null,
    target_mark text        not null,
    -- Counts and sums of the comparison, as the sweep adds them up again.
    verdict     jsonb       not null,
    primary key (run_id, ordinal)
);

alter table heirloom_migrate.run
    drop constraint run_state_check,
    add constraint run_state_check
    check (state in ('applying', 'applied', 'verified', 'failed', 'soaking', 'soaked', 'retired'));
