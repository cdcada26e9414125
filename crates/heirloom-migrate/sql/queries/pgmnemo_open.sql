-- Open lessons of these kinds. $1 what lessons are compared by
select l.id, k.at as kind, l.created_at, l.project_id
from unnest($1::text[]) with ordinality as k (compared, at)
join pgmnemo.agent_lesson l on l.content_hash = md5(k.compared) and l.t_valid_to = 'infinity'
