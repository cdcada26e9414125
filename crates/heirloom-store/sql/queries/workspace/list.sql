-- Every workspace, oldest first.
select w.id, w.name, w.parent_id, w.status, w.created_at
from heirloom.workspace w
order by w.created_at, w.id
