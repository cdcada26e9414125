-- Which of these namespaces have indexes of their own, which every row that comes has to be put into. $1 namespaces
select n.namespace
from unnest($1::text[]) as n (namespace)
where to_regclass('heirloom.memory_words_' || to_hex(hashtextextended(n.namespace, 0))) is not null
