-- One tenant of the first seed as its database was: workspaces, and agent_memories as migrations 001, 008, 017 and 031
-- of the platform left it. Runs in a schema of its own on the search path; the caller has created it.
create table workspaces (
    id               uuid primary key default gen_random_uuid(),
    name             text not null,
    parent_id        uuid references workspaces (id),
    status           text not null default 'provisioning',
    tier             integer not null default 1,
    role             text,
    kind             text not null default 'workspace',
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    last_activity_at timestamptz
);

create unique index workspaces_parent_name on workspaces
    (coalesce(parent_id, '00000000-0000-0000-0000-000000000000'), name) where status <> 'removed';

create table agent_memories (
    id           uuid primary key default gen_random_uuid(),
    workspace_id uuid references workspaces (id),
    content      text not null,
    scope        varchar(10) not null check (scope in ('LOCAL', 'TEAM', 'GLOBAL')),
    created_at   timestamptz default now(),
    updated_at   timestamptz default now(),
    namespace    varchar(50) not null default 'general'
);

alter table agent_memories
    add column content_tsv tsvector generated always as (to_tsvector('english', content)) stored;

alter table agent_memories add column embedding vector(1536);

create index idx_memories_workspace on agent_memories (workspace_id);
create index idx_memories_scope on agent_memories (scope);
create index idx_memories_fts on agent_memories using gin (content_tsv);
create index idx_memories_ns on agent_memories (workspace_id, namespace);
