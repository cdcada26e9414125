-- Old versions that came after a newer one: the trigger closes what came before, not what comes. $1 ids
update pgmnemo.agent_lesson
set t_valid_to = now()
where id = any ($1) and t_valid_to = 'infinity'
