-- The links of a memory, both ways, strongest first. $1 namespace, $2 id, $3 how many
select e.outward, e.relation, e.kind as link_kind, e.weight, e.valid_from, e.valid_to,
    m.id, m.namespace, m.kind, m.state, m.topic, left(m.content, 280) as content, m.created_at
from (
    select true as outward, x.target_id as other, x.relation, x.kind, x.weight, x.valid_from, x.valid_to
    from heirloom.edge x
    where x.namespace = $1 and x.source_id = $2
    union all
    select false, x.source_id, x.relation, x.kind, x.weight, x.valid_from, x.valid_to
    from heirloom.edge x
    where x.namespace = $1 and x.target_id = $2
) e
join heirloom.memory m on m.namespace = $1 and m.id = e.other
order by e.weight desc, m.created_at desc nulls last, m.id
limit $3
