-- What was handed down before under these ids, in whatever namespace. Runs as the audit. $1: the ids.
select o.id, o.namespace, o.source, o.source_digest, o.written_digest
from heirloom.origin o
where o.id = any ($1::uuid[])
