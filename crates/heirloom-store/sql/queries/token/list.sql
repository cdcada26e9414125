-- Every token there ever was, without its hash, oldest first.
select t.id, t.name, t.namespaces, t.rights, t.rate_per_minute, t.created_at, t.expires_at, t.revoked_at
from heirloom.token t
order by t.created_at, t.id
