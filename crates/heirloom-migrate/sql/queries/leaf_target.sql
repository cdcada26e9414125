-- The versions of the store's rows with these ids, in whatever namespace, and of what explains them: any insert, update or
-- delete of one of them changes the count or the sum. Beside it the ids that were handed down from a source. Runs as the
-- audit. $1 ids, $2 source
select
    count(*),
    coalesce(
        sum(
            hashtextextended(
                m.namespace || '/' || m.id::text || '/' || m.xmin::text || m.ctid::text
                || coalesce('/' || o.xmin::text || o.ctid::text || o.source, ''),
                0
            )::numeric
        ),
        0
    )::text || '/' || (select count(*) from heirloom.tombstone t where t.id = any ($1)),
    coalesce(array_agg(m.id) filter (where o.source = $2), '{}')
from heirloom.memory m
left join heirloom.origin o on o.namespace = m.namespace and o.id = m.id
where m.id = any ($1)
