-- The namespace itself, and how wide the vectors were that it had. $1 name
with widths as (delete from heirloom.model_width w where w.namespace = $1)
delete from heirloom.namespace n where n.name = $1
