-- The namespaces that need something: their words were never counted or not since their number changed, a row lacks what
-- it is ranked by, or they have grown into indexes of their own or out of them. The largest first. Read by the auditing
-- role. $1: only of these namespaces; NULL: of all. $2: above how many memories a namespace gets indexes. $3: up to how
-- many it gives them back.
select d.namespace, d.documents, d.uncounted, d.unranked,
    d.documents > $2::bigint and not d.is_indexed as wants_indexes,
    d.documents <= $3::bigint and d.is_indexed as has_shrunk
from (
    select coalesce(n.namespace, f.namespace) as namespace,
        coalesce(n.documents, 0) as documents,
        f.documents is distinct from coalesce(n.documents, 0) as uncounted,
        coalesce(n.unranked, 0) as unranked,
        coalesce(f.is_indexed, false) as is_indexed
    from (
        select m.namespace, count(*) as documents,
            count(*) filter (
                where (m.word_vector is null and m.word_vector_long is null)
                    or (
                        m.embedding is not null and m.sign_bits is null
                        and exists (select from heirloom.model c where c.name = coalesce(m.embedding_model, ''))
                    )
            ) as unranked
        from heirloom.memory m
        where $1::text[] is null or m.namespace = any ($1)
        group by m.namespace
    ) n
    full join (
        select k.namespace, k.documents, k.is_indexed
        from heirloom.frequency k
        where $1::text[] is null or k.namespace = any ($1)
    ) f on f.namespace = n.namespace
) d
where d.uncounted
    or d.unranked > 0
    or (d.documents > $2::bigint and not d.is_indexed)
    or (d.documents <= $3::bigint and d.is_indexed)
order by d.documents desc, d.namespace
