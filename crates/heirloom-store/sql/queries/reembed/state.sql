-- How far each namespace is with a model. A vector beside the memories counts when it was made from what the memory
-- says now and, where a width is given, has it, as a live one does. $1 model, $2 width or NULL, $3 only these namespaces; NULL: all.
select n.namespace,
    count(*) as memories,
    count(*) filter (where n.is_live) as live,
    count(*) filter (where not n.is_live and n.has_vector) as others,
    count(*) filter (where not n.is_live and n.is_beside and n.has_next) as beside,
    count(*) filter (where not n.is_live and n.is_beside and not n.has_next) as without,
    count(*) filter (where not n.is_live and not n.is_beside) as missing,
    count(*) filter (where not n.is_live and n.is_beside and not n.has_next and n.has_vector) as to_empty
from (
    select m.namespace,
        m.embedding is not null
            and m.embedding_model is not distinct from $1::text
            and coalesce(w.dimension = $2, true) as is_live,
        m.embedding is not null as has_vector,
        e.id is not null as is_beside,
        e.embedding is not null as has_next
    from heirloom.memory m
    left join heirloom.model_width w on w.namespace = m.namespace and w.model = $1
    left join heirloom.embedding e
        on e.namespace = m.namespace and e.id = m.id and e.model = $1
        and ($2::integer is null or e.dimension is null or e.dimension = $2)
        and e.text_sha256 = sha256(convert_to(heirloom.embedded_text(m.topic, m.content), 'UTF8'))
    where $3::text[] is null or m.namespace = any ($3)
) n
group by n.namespace
order by n.namespace
