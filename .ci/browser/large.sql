-- A namespace of 100,000 memories, made past every door because only its size matters. The n-th newest says so.

insert into heirloom.memory (id, namespace, kind, source, content, state, created_at, updated_at)
select md5('large' || g.n)::uuid, 'team:large', 'fact', 'agent', format('Number %s of a hundred thousand', g.n), 'validated',
    now() - make_interval(secs => 100 + g.n), now() - make_interval(secs => 100 + g.n)
from generate_series(1, 100000) as g(n);
