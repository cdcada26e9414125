-- The newest of their kind, which an older one has closed by coming later. $1 ids
update pgmnemo.agent_lesson
set t_valid_to = 'infinity'
where id = any ($1) and t_valid_to <> 'infinity'
