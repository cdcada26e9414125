-- What the indexes of a namespace will be made of: vectors with signs, and stored bytes of its words. $1: the namespace.
select count(m.sign_bits) as vectors, coalesce(sum(pg_column_size(m.content_tsv)), 0)::bigint as word_bytes
from heirloom.memory m
where m.namespace = $1
