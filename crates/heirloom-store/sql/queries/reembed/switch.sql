-- Makes the vectors beside the memories of a namespace the live ones, where the memory still says what they were made
-- from. A text the model has no vector for loses the other model's: nothing compares with it any more.
-- $1 namespace, $2 model, $3 its width, $4 whether the model had another until now, or none
update heirloom.memory m
set embedding = e.embedding,
    embedding_model = case when e.embedding is not null then e.model end
from heirloom.embedding e
where m.namespace = $1
    and e.namespace = m.namespace and e.id = m.id and e.model = $2
    and (e.dimension is null or e.dimension = $3::integer)
    and e.text_sha256 = sha256(convert_to(heirloom.embedded_text(m.topic, m.content), 'UTF8'))
    and ($4 or m.embedding is null or m.embedding_model is distinct from $2)
    and (m.embedding is not null or e.embedding is not null)
