-- The words that lists of a scope can be narrowed by: its sources, and its most frequent roles, topics and tags; 20 of
-- each at most. $1 namespaces
with seen as (
    select m.source, m.role, m.topic, m.metadata
    from heirloom.memory m
    where m.namespace = any ($1)
),
words as (
    select 'source' as facet, s.source as word, count(*) as memories from seen s group by s.source
    union all
    select 'role', s.role, count(*) from seen s where s.role is not null group by s.role
    union all
    select 'topic', s.topic, count(*) from seen s where s.topic is not null group by s.topic
    union all
    select 'tag', t.word, count(*)
    from seen s
    cross join lateral jsonb_array_elements_text(s.metadata -> 'tags') t(word)
    where jsonb_typeof(s.metadata -> 'tags') = 'array'
    group by t.word
)
select r.facet, r.word, r.memories
from (
    select w.*, row_number() over (partition by w.facet order by w.memories desc, w.word) as place from words w
) r
where r.place <= 20
order by r.facet, r.place
