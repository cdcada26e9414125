-- What a memory says now, before it is revised. $1 namespace, $2 id, $3 actor
insert into heirloom.revision (namespace, memory_id, version_n, role, topic, content, metadata, actor)
select m.namespace, m.id, m.version_n, m.role, m.topic, m.content, m.metadata, coalesce($3::text, session_user)
from heirloom.memory m
where m.namespace = $1 and m.id = $2
