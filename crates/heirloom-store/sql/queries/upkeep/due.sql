-- The namespaces that need something: their words were never counted or not since their number changed, or a row lacks
-- what it is ranked by. Read by the auditing role. $1: only of these namespaces; NULL: of all.
select n.namespace, n.documents,
    f.namespace is null or f.documents <> n.documents as uncounted,
    n.unranked,
    n.documents > $2::bigint and not coalesce(f.is_indexed, false) as wants_indexes
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
left join heirloom.frequency f on f.namespace = n.namespace
where f.namespace is null
    or f.documents <> n.documents
    or n.unranked > 0
    or (n.documents > $2::bigint and not f.is_indexed)
order by n.namespace
