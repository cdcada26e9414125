-- $1 token, $2 key, $3 sha256 of the request, $4 status, $5 response
select heirloom.idempotent_finish($1, $2, $3, $4, $5) as kept
