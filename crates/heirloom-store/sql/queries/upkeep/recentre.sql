-- The signs of one namespace's vectors around a new centre; the trigger does the work. $1: the namespace. $2: the model.
update heirloom.memory m
set sign_bits = null
where m.namespace = $1 and coalesce(m.embedding_model, '') = $2 and m.embedding is not null
