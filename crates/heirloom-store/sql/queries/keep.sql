-- Whether a memory is pinned, and when it expires; what it says stays. $1 namespace, $2 id, $3 pin or NULL to leave it,
-- $4 is an end given?, $5 the end or NULL for none
update heirloom.memory m
set pin = coalesce($3::boolean, m.pin),
    expires_at = case when $4::boolean then $5::timestamptz else m.expires_at end,
    version_n = m.version_n + 1
where m.namespace = $1 and m.id = $2
returning m.version_n, m.pin, m.expires_at
