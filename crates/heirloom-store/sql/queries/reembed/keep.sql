-- Vectors of one namespace and model beside their memories; a memory that was forgotten meanwhile gets none.
-- $1 namespace, $2 model, $3 ids, $4 digests of the texts, $5 widths, $6 vectors
insert into heirloom.embedding as e (namespace, id, model, text_sha256, dimension, embedding)
select m.namespace, m.id, $2::text, u.sha256, u.dimension, u.embedding
from unnest($3::uuid[], $4::bytea[], $5::integer[], $6::vector[]) u(id, sha256, dimension, embedding)
join heirloom.memory m on m.namespace = $1 and m.id = u.id
for key share of m
on conflict (namespace, id, model) do update set
    text_sha256 = excluded.text_sha256,
    dimension = excluded.dimension,
    embedding = excluded.embedding,
    made_at = now()
