-- What was moved needs no place beside its memory, nor does what was made from a text that is gone.
-- $1 namespace, $2 model
delete from heirloom.embedding e
using heirloom.memory m
where e.namespace = $1 and e.model = $2
    and m.namespace = e.namespace and m.id = e.id
    and (
        e.embedding is not null
        or e.text_sha256 <> sha256(convert_to(heirloom.embedded_text(m.topic, m.content), 'UTF8'))
    )
