-- A namespace as a caller says it is, and the line that says so; no row when nothing changes. Another kind is another
-- namespace: what is not said of it then goes. $1 name, $2 kind given?, $3 kind where it is not the prefix, $4 end
-- given?, $5 end, $6 metadata given?, $7 metadata, $8 actor
with put as (
    insert into heirloom.namespace as n (name, given_kind, expires_at, metadata)
    values ($1, $3, $5, $7)
    on conflict (name) do update
    set given_kind = case when $2::boolean then excluded.given_kind else n.given_kind end,
        expires_at = case
            when $4::boolean or ($2 and excluded.given_kind is distinct from n.given_kind) then excluded.expires_at
            else n.expires_at
        end,
        metadata = case
            when $6::boolean or ($2 and excluded.given_kind is distinct from n.given_kind) then excluded.metadata
            else n.metadata
        end
    where ($2 and excluded.given_kind is distinct from n.given_kind)
        or ($4 and excluded.expires_at is distinct from n.expires_at)
        or ($6 and excluded.metadata is distinct from n.metadata)
    returning n.name
)
insert into heirloom.activity (actor, action, namespace)
select coalesce($8::text, session_user), 'namespace_put', put.name
from put
