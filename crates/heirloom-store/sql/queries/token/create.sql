-- A new token. $1 name, $2 sha256 of its secret, $3 namespaces, $4 rights, $5 requests a minute, $6 until when
insert into heirloom.token (name, sha256, namespaces, rights, rate_per_minute, expires_at)
values ($1, $2, $3, $4, $5, $6)
returning id
