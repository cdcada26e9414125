-- What the store's records say of a memory that differs. $1 namespace, $2 id
-- said: the latest recorded revision is of this very text, at the very moment the memory says it was updated
-- moved: the latest recorded transition led to this very state, at the very moment the memory says
-- pinned, ends: the latest recorded decision on pin or expiry is of this very value
-- verified: verified_at is the moment of a recorded revision or transition
select
    coalesce(
        (
            select a.content_sha256 = sha256(convert_to(m.content, 'UTF8')) and a.at = m.updated_at
            from heirloom.activity a
            where a.namespace = m.namespace and a.memory_id = m.id and a.action = 'revise'
            order by a.id desc
            limit 1
        ),
        false
    ) as said,
    coalesce(
        (
            select t.to_state = m.state and t.at = m.state_changed_at
            from heirloom.state_transition t
            where t.namespace = m.namespace and t.memory_id = m.id
            order by t.id desc
            limit 1
        ),
        false
    ) as moved,
    exists (
        select
        from heirloom.activity a
        where
            a.namespace = m.namespace and a.memory_id = m.id and a.action in ('revise', 'transition')
            and a.at = m.verified_at
    ) as verified,
    coalesce(
        (
            select (a.details ->> 'pin')::boolean = m.pin
            from heirloom.activity a
            where a.namespace = m.namespace and a.memory_id = m.id and a.action = 'keep' and a.details ? 'pin'
            order by a.id desc
            limit 1
        ),
        false
    ) as pinned,
    coalesce(
        (
            select (a.details ->> 'expires_us')::bigint is not distinct from (
                case when isfinite(m.expires_at) then (extract(epoch from m.expires_at) * 1000000)::bigint end
            ) and coalesce(isfinite(m.expires_at), true)
            from heirloom.activity a
            where a.namespace = m.namespace and a.memory_id = m.id and a.action = 'keep' and a.details ? 'expires_us'
            order by a.id desc
            limit 1
        ),
        false
    ) as ends
from heirloom.memory m
where m.namespace = $1 and m.id = $2
