-- What happened to a memory: what it said before, through which states it went, what it is linked to.
--
-- These go with their memory (on delete cascade), because a forgotten text must not live on in its revisions. What
-- stays is the tombstone and the activity, which never hold content.

create table heirloom.revision (
    namespace   text        collate "C" not null,
    memory_id   uuid        not null,
    version_n   integer     not null,
    role        text,
    topic       text,
    content     text        not null,
    metadata    jsonb,
    actor       text        not null default session_user,
    replaced_at timestamptz not null default now(),

    constraint revision_pkey primary key (namespace, memory_id, version_n),
    constraint revision_memory_fkey foreign key (namespace, memory_id)
        references heirloom.memory (namespace, id) on delete cascade
);

comment on table heirloom.revision is 'What a memory said before, by the version that said it.';

create table heirloom.state_transition (
    id         bigint      generated always as identity,
    namespace  text        collate "C" not null,
    memory_id  uuid        not null,
    from_state text        not null,
    to_state   text        not null,
    actor      text        not null default session_user,
    reason     text,
    at         timestamptz not null default now(),

    constraint state_transition_pkey primary key (namespace, memory_id, id),
    constraint state_transition_memory_fkey foreign key (namespace, memory_id)
        references heirloom.memory (namespace, id) on delete cascade
);

comment on table heirloom.state_transition is 'Through which states a memory went: who, from, to, why, when.';

create table heirloom.edge (
    namespace  text        collate "C" not null,
    source_id  uuid        not null,
    target_id  uuid        not null,
    relation   text        not null,
    kind       text        not null default 'semantic',
    weight     real        not null default 1,
    metadata   jsonb,
    valid_from timestamptz not null default now(),
    valid_to   timestamptz,
    created_at timestamptz not null default now(),

    constraint edge_pkey primary key (namespace, source_id, target_id, relation),
    constraint edge_kind_check check (kind in ('semantic', 'temporal', 'causal', 'entity')),
    constraint edge_weight_check check (weight between 0 and 1),
    constraint edge_self_check check (source_id <> target_id),
    constraint edge_source_fkey foreign key (namespace, source_id)
        references heirloom.memory (namespace, id) on delete cascade,
    constraint edge_target_fkey foreign key (namespace, target_id)
        references heirloom.memory (namespace, id) on delete cascade
);

comment on table heirloom.edge is 'Typed links between memories of one namespace.';

-- The other end of a link: walking backwards, and deleting a memory without a scan.
create index edge_target on heirloom.edge (namespace, target_id);
