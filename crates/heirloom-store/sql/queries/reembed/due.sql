-- The next memories of a namespace that lack a vector of a model, live or beside, in the order of their ids, and the
-- texts to embed. $1 namespace, $2 model, $3 its width, $4 after this id or NULL, $5 at most
select m.id, t.text, sha256(convert_to(t.text, 'UTF8')) as sha256
from heirloom.memory m
cross join lateral (select heirloom.embedded_text(m.topic, m.content) as text offset 0) t
where m.namespace = $1
    and ($4::uuid is null or m.id > $4)
    and (
        m.embedding is null
        or m.embedding_model is distinct from $2::text
        or exists (
            select
            from heirloom.model_width w
            where w.namespace = $1 and w.model = $2 and w.dimension <> $3
        )
    )
    and not exists (
        select
        from heirloom.embedding e
        where e.namespace = m.namespace and e.id = m.id and e.model = $2
            and (e.dimension is null or e.dimension = $3::integer)
            and e.text_sha256 = sha256(convert_to(t.text, 'UTF8'))
    )
order by m.id
limit $5::bigint
