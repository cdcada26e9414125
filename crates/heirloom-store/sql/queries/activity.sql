-- One line of what was done. $1 actor, $2 action, $3 namespace, $4 memory, $5 sha256 of its content, $6 details
insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256, details)
values (coalesce($1::text, session_user), $2, $3, $4, $5, $6)
