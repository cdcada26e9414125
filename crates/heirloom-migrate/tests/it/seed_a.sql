-- The first seed's tables, small: 144 rows, 48 of each scope.
create extension if not exists vector;

create table workspaces (
    id uuid primary key,
    parent_id uuid references workspaces (id),
    name text not null
);

insert into workspaces (id, parent_id, name)
select
    ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
    case when n > 1 then ('00000000-0000-4000-8000-' || lpad((n / 2)::text, 12, '0'))::uuid end,
    'workspace ' || n
from generate_series(1, 7) n;

create table agent_memories (
    id uuid primary key,
    workspace_id uuid references workspaces (id),
    content text not null,
    scope varchar(10) not null check (scope in ('LOCAL', 'TEAM', 'GLOBAL')),
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    namespace varchar(50) not null default 'general',
    metadata jsonb,
    embedding vector(1536)
);

insert into agent_memories (id, workspace_id, content, scope, created_at, updated_at, metadata, embedding)
select
    md5('a' || n)::uuid,
    case when n not in (5, 50, 100) then ('00000000-0000-4000-8000-' || lpad((1 + n % 7)::text, 12, '0'))::uuid end,
    case n
        when 7 then E' \t\n'
        when 8 then 'the staging key is sk-abcdefghijklmnopqrst'
        else 'Memory ' || n || ': rotate the token before the deploy, 部署前'
    end,
    (array['LOCAL', 'TEAM', 'GLOBAL'])[1 + n % 3],
    case when n not in (9, 10) then timestamptz '2026-04-01 00:00:00.123456+00' + n * interval '1 hour' end,
    timestamptz '2026-05-01 00:00:00+00' + n * interval '1 hour',
    case when n % 10 = 0 then 'null'::jsonb when n % 10 = 1 then '{"by": "agent"}'::jsonb end,
    case when n % 20 = 0 then array_fill(0.5::real, array[1536])::vector end
from generate_series(1, 144) n;
