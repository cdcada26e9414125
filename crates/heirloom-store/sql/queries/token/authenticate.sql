-- The token of a secret, if it lives. $1 sha256 of the secret
select a.id, a.name, a.namespaces, a.rights, a.rate_per_minute, a.created_at, a.expires_at, a.revoked_at
from heirloom.authenticate($1) a
