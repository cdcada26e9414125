-- The best of one topic among everything heirloom.recall ranks: the question is that of the whole scope, and what is of
-- another topic is left out before the best are counted off. In a namespace with indexes, among its 8,000 candidates.
-- $1 text, $2 vector, $3 namespaces, $4 k, $5 kinds, $6 include ghosts, $7 model of the vector, $8 with neighbours,
-- $9 width of the vector before it was padded, $10 topic
select r.id, r.namespace, m.lesson_id, m.kind, m.source, m.role, m.topic, m.content, m.importance, m.state, m.pin,
    m.verified_at, m.metadata, m.propagation, m.expires_at, m.created_at,
    r.score, r.lexical, r.semantic, r.context, r.boost, r.similarity
from heirloom.recall($1, $2, $3, null, $5, $6, $7, use_sessions => $8, query_dimension => $9) r
join heirloom.memory m on m.namespace = r.namespace and m.id = r.id
where m.topic = $10
order by r.score desc, m.created_at desc nulls last, r.id
limit $4::integer
