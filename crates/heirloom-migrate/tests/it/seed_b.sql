-- The second seed's table, small: 60 rows, 12 of each status.
create extension if not exists vector;
create schema mem;

create table mem.mem_item (
    id bigint primary key,
    content text not null,
    layer text not null,
    tags jsonb,
    run_id text,
    ttl_seconds int,
    verified boolean,
    verified_at timestamptz,
    status text,
    agent_role text,
    project_id int,
    priority int,
    git_sha text,
    embedding vector,
    created_at timestamptz not null
);

insert into mem.mem_item
select
    n,
    'Lesson ' || n || ': rotate the keys',
    'security',
    jsonb_build_object('n', n),
    case when n % 6 = 0 then '99999999999999999999' else n::text end,
    case n % 3 when 0 then 60 when 1 then 100000000 end,
    n % 2 = 0,
    case when n % 4 = 0 then timestamptz '2026-02-01 00:00:00+00' end,
    (array['Active', 'pending', 'Deleted', 'superseded', 'golden'])[1 + n % 5],
    'developer',
    42,
    1 + n % 10,
    case when n % 5 = 0 then 'a3f9b12' end,
    case n % 3
        when 0 then array_fill(0.25::real, array[1536])::vector
        when 1 then array_fill(0.25::real, array[1024])::vector
    end,
    timestamptz '2026-01-01 00:00:00+00' + n * interval '1 hour'
from generate_series(1, 60) n;
