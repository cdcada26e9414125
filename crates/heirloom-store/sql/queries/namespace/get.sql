-- One namespace that is described or holds a memory, without counting. $1 name
select coalesce(n.name, $1::text) as name, n.given_kind, n.expires_at,
    coalesce(n.expires_at <= statement_timestamp(), false) as expired, n.metadata, n.created_at, null::bigint as memories
from (select) one
left join heirloom.namespace n on n.name = $1
where n.name is not null or exists (select from heirloom.memory m where m.namespace = $1)
