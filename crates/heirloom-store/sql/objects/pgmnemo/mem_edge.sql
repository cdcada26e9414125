-- Links between lessons by their integer handles. For reading; pgmnemo.add_edge writes.

create or replace view pgmnemo.mem_edge
with (security_invoker = true)
as
select
    s.lesson_id as source_id,
    t.lesson_id as target_id,
    e.relation as relation_type,
    e.kind as edge_kind,
    e.valid_from,
    e.valid_to as valid_until,
    e.weight,
    e.metadata,
    e.created_at
from heirloom.edge e
join heirloom.memory s on s.namespace = e.namespace and s.id = e.source_id
join heirloom.memory t on t.namespace = e.namespace and t.id = e.target_id;
