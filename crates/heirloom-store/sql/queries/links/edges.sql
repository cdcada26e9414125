-- The links of a memory, both ways, strongest first, page by page. $1 namespace, $2 id, $3 how many, $4 whether only those
-- after a place, which is $5 its weight, $6 when the other memory was made (-infinity where that is not known), $7 the other
-- memory, $8 whether it leads there, $9 what it says
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
cross join lateral (select coalesce(m.created_at, '-infinity') as made) k
where not $4::boolean
    or e.weight < $5::real
    or (e.weight = $5 and k.made < $6::timestamptz)
    or (e.weight = $5 and k.made = $6 and (m.id, e.outward, e.relation collate "C") > ($7::uuid, $8::boolean, $9::text))
order by e.weight desc, k.made desc, m.id, e.outward, e.relation collate "C"
limit $3
