-- A namespace that is there, changed, and the line that says so. $1 name, $2 end given?, $3 end, $4 metadata given?,
-- $5 metadata, $6 actor
with patched as (
    update heirloom.namespace n
    set expires_at = case when $2::boolean then $3 else n.expires_at end,
        metadata = case when $4::boolean then $5 else n.metadata end
    where n.name = $1
        and (($2 and n.expires_at is distinct from $3) or ($4 and n.metadata is distinct from $5))
    returning n.name
)
insert into heirloom.activity (actor, action, namespace)
select coalesce($6::text, session_user), 'namespace_put', patched.name
from patched
