-- The tree of workspaces, as the platform that owns it tells us: from it the doors derive who may read and write which
-- namespace, anew for each call. A workspace that is purged leaves its children as roots of their own.

create table heirloom.workspace (
    id         text        collate "C" primary key,
    name       text        not null,
    parent_id  text        collate "C",
    status     text        not null,
    created_at timestamptz not null default now(),

    -- It stands in `workspace:<id>`.
    constraint workspace_id_check check (octet_length(id) <= 240 and id ~ '^[A-Za-z0-9_:.-]+$'),
    constraint workspace_self_check check (parent_id <> id),
    constraint workspace_parent_fkey foreign key (parent_id) references heirloom.workspace (id) on delete set null
);

comment on table heirloom.workspace is 'Who is whose parent; a workspace without one is the root of an organisation. No tenant reads it.';

create index workspace_parent on heirloom.workspace (parent_id) where parent_id is not null;
