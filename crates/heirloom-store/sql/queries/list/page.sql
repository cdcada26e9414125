-- A page of a scope: newest first, rows without a time last, then by id. An empty array of a filter means any. Each
-- namespace is read along its index from the place of the last row on, however deep that is: the rest of its instant,
-- what is older, what has no time.
-- $1 namespaces, $2 kinds, $3 states, $4 sources, $5 pinned, $6 expired, $7 where to go on: 0 at the start, 1 after a
-- row with a time, 2 after one without, $8 its created_at (infinity at the start), $9 its id (zeros at the start),
-- $10 limit, $11 role, $12 topic, $13 tag, $14 unverified, $15 migrated, $16 expiring before, $17 only what recall
-- would show, $18 pattern
with places as (
    select n.name
    from unnest($1::text[]) n(name)
    where not $17::boolean or n.name = any (heirloom.open_namespaces($1, statement_timestamp()))
),
page as (
    select k.namespace, k.id
    from places p
    cross join lateral (
        (
            select m.namespace, m.id, m.created_at
            from heirloom.memory m
            where m.namespace = p.name and true /* pinned */
                and $7::integer <= 1 and m.created_at = $8::timestamptz and m.id >= $9::uuid
                and ($7 = 0 or m.id > $9)
                and heirloom.is_listed(m, $2, $3, $4, $5, $6, $11, $12, $13, $14, $16, $17, $18)
                    and ($15::boolean is null or $15 = exists (
                        select from heirloom.origin o where o.id = m.id and o.namespace = m.namespace
                    ))
            order by m.id
            limit $10
        )
        union all
        (
            select m.namespace, m.id, m.created_at
            from heirloom.memory m
            where m.namespace = p.name and true /* pinned */
                and $7 <= 1 and m.created_at < $8
                and heirloom.is_listed(m, $2, $3, $4, $5, $6, $11, $12, $13, $14, $16, $17, $18)
                    and ($15::boolean is null or $15 = exists (
                        select from heirloom.origin o where o.id = m.id and o.namespace = m.namespace
                    ))
            order by m.created_at desc nulls last, m.id
            limit $10
        )
        union all
        (
            select m.namespace, m.id, m.created_at
            from heirloom.memory m
            where m.namespace = p.name and true /* pinned */
                and m.created_at is null
                and m.id >= case when $7 = 2 then $9 else '00000000-0000-0000-0000-000000000000' end
                and ($7 <= 1 or m.id > $9)
                and heirloom.is_listed(m, $2, $3, $4, $5, $6, $11, $12, $13, $14, $16, $17, $18)
                    and ($15::boolean is null or $15 = exists (
                        select from heirloom.origin o where o.id = m.id and o.namespace = m.namespace
                    ))
            order by m.id
            limit $10
        )
    ) k
    order by k.created_at desc nulls last, k.id
    limit $10
)
select m.id, m.lesson_id, m.namespace, m.project_id, m.kind, m.source, m.role, m.topic, m.content, m.importance,
    m.state, m.state_changed_at, m.commit_sha, m.artifact_hash, m.verified_at, m.source_run_id, m.source_task_id,
    m.source_dag_id, m.pin, m.propagation, m.metadata, m.embedding is not null as has_embedding, m.embedding_model,
    m.expires_at, m.valid_from, m.valid_to, m.created_at, m.updated_at, m.confidence, m.is_active, m.content_type,
    m.item_kind, m.version_n,
    coalesce(m.expires_at <= statement_timestamp(), false) as expired
from page g
join heirloom.memory m on m.namespace = g.namespace and m.id = g.id
order by m.created_at desc nulls last, m.id
