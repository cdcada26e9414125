-- Memories that were remembered here, over the last three months: several kinds, states, times to live, links.

insert into heirloom.memory (id, namespace, kind, source, role, topic, content, importance, state, commit_sha, verified_at,
    pin, metadata, expires_at, created_at, updated_at, confidence)
select md5('live' || g.n)::uuid, (array['team:agents-core', 'team:agents-desk', 'workspace:inbox', 'org:heirloom'])[1 + g.n % 4],
    (array['fact', 'lesson', 'summary', 'fact', 'lesson', 'fact', 'checkpoint'])[1 + g.n % 7], (array['agent', 'agent', 'user', 'runtime'])[1 + g.n % 4],
    (array['the release agent', 'the triage agent', 'the inbox agent'])[1 + g.n % 3], p.title,
    (array['', 'Today: ', 'Asked again: ', 'Priya: ', 'The planner found: ', 'From the standup: ', 'Before I forget: ', 'Seen in the logs: '])[1 + (g.n / 24) % 8] || p.body, 1 + g.n % 5,
    (array['draft', 'candidate', 'validated', 'validated', 'canonical', 'conflicted'])[1 + (g.n * 5) % 6],
    case when g.n % 4 <> 1 then substr(md5('c' || g.n), 1, 12) end, case when g.n % 4 <> 1 then now() - make_interval(days => g.n % 90) end,
    g.n % 37 = 0, jsonb_build_object('tags', jsonb_build_array((array['ops', 'people', 'recall'])[1 + g.n % 3])),
    case when g.n % 6 = 0 then now() + make_interval(days => (g.n * 7) % 60 - 4) end,
    now() - make_interval(days => (g.n * 11) % 90, mins => (g.n * 37) % 1440), now() - make_interval(days => (g.n * 11) % 90), 0.5
from generate_series(1, 260) as g(n)
join legacy.phrase p on p.n = (g.n * 11) % 24;

insert into heirloom.edge (namespace, source_id, target_id, relation, kind, weight)
select a.namespace, a.id, b.id, 'supports', 'semantic', 0.8
from heirloom.memory a
join heirloom.memory b on b.namespace = a.namespace and b.topic = a.topic and b.id > a.id
where a.namespace = 'workspace:inbox'
limit 40;
