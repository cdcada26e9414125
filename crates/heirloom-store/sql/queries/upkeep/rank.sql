-- Fills what the rows of one namespace lack to be ranked; the trigger does the work. $1: the namespace.
update heirloom.memory m
set content_tsv = null
where m.namespace = $1
    and (
        (m.word_vector is null and m.word_vector_long is null)
        or (
            m.embedding is not null and m.sign_bits is null
            and exists (select from heirloom.model c where c.name = coalesce(m.embedding_model, ''))
        )
    )
