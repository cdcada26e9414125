-- Ends a token that lives. $1 its id or its name, as text
update heirloom.token t
set revoked_at = now()
where t.revoked_at is null and (t.id::text = lower($1::text) or t.name = $1)
returning t.id, t.name, t.namespaces, t.rights, t.rate_per_minute, t.created_at, t.expires_at, t.revoked_at
