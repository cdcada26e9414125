-- What the store's records say of memories that differ, a row a memory. $1 namespaces, $2 ids, one of each a memory; $3 each
-- namespace once
-- said: the latest recorded revision is of this very text, at the very moment the memory says it was updated
-- moved: the latest recorded transition led to this very state, at the very moment the memory says
-- pinned, ends: the latest recorded decision on pin or expiry is of this very value
-- verified: verified_at is the moment of a recorded revision or transition
-- superseded: that is its state; consolidated: it is superseded, inactive, and linked to the memory it went into
with wanted as (
    select w.namespace, w.id from unnest($1::text[], $2::uuid[]) as w (namespace, id)
),
-- Read once for all of them: nothing finds the acts of one memory without reading those of its namespace. Those of all other
-- tenants of the store are left alone.
act as materialized (
    select a.namespace, a.memory_id, a.id, a.action, a.at, a.content_sha256, a.details
    from heirloom.activity a
    where a.namespace = any ($3) and a.memory_id = any ($2) and a.action in ('revise', 'transition', 'keep')
),
pin_kept as (
    select distinct on (a.namespace, a.memory_id) a.namespace, a.memory_id, (a.details ->> 'pin')::boolean as pin
    from act a
    where a.action = 'keep' and a.details ? 'pin'
    order by a.namespace, a.memory_id, a.id desc
),
end_kept as (
    select distinct on (a.namespace, a.memory_id) a.namespace, a.memory_id, (a.details ->> 'expires_us')::bigint as expires_us
    from act a
    where a.action = 'keep' and a.details ? 'expires_us'
    order by a.namespace, a.memory_id, a.id desc
),
revised as (
    select distinct on (a.namespace, a.memory_id) a.namespace, a.memory_id, a.at, a.content_sha256
    from act a
    where a.action = 'revise'
    order by a.namespace, a.memory_id, a.id desc
),
step as (
    select distinct on (t.namespace, t.memory_id) t.namespace, t.memory_id, t.at, t.to_state
    from heirloom.state_transition t
    join wanted w on w.namespace = t.namespace and w.id = t.memory_id
    order by t.namespace, t.memory_id, t.id desc
)
select
    m.namespace,
    m.id,
    coalesce(r.content_sha256 = sha256(convert_to(m.content, 'UTF8')) and r.at = m.updated_at, false) as said,
    coalesce(s.to_state = m.state and s.at = m.state_changed_at, false) as moved,
    -- A list that is hashed once, where `exists` would go through all acts for each row.
    m.verified_at is not null and (m.namespace, m.id, m.verified_at) in (
        select a.namespace, a.memory_id, a.at
        from act a
        where a.action <> 'keep'
    ) as verified,
    m.state = 'superseded' as superseded,
    m.state = 'superseded' and not m.is_active and exists (
        select
        from heirloom.edge e
        where e.namespace = m.namespace and e.source_id = m.id and e.metadata ->> 'consolidation' = 'true'
    ) as consolidated,
    coalesce(p.pin = m.pin, false) as pinned,
    coalesce(
        k.expires_us is not distinct from (
            case when isfinite(m.expires_at) then (extract(epoch from m.expires_at) * 1000000)::bigint end
        ) and coalesce(isfinite(m.expires_at), true) and k.memory_id is not null,
        false
    ) as ends
from wanted w
join heirloom.memory m on m.namespace = w.namespace and m.id = w.id
left join revised r on r.namespace = m.namespace and r.memory_id = m.id
left join step s on s.namespace = m.namespace and s.memory_id = m.id
left join pin_kept p on p.namespace = m.namespace and p.memory_id = m.id
left join end_kept k on k.namespace = m.namespace and k.memory_id = m.id
