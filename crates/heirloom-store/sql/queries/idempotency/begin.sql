-- $1 token, $2 key, $3 sha256 of the request
select b.outcome, b.status, b.response
from heirloom.idempotent_begin($1, $2, $3) b
