-- A workspace and its ancestors, nearest first: fifty at most, each once, so that a tree that bites its tail comes to an
-- end. $1 id
with recursive line as (
    select w.id, w.name, w.parent_id, w.status, 1 as depth, array[w.id] as seen
    from heirloom.workspace w
    where w.id = $1
    union all
    select w.id, w.name, w.parent_id, w.status, l.depth + 1, l.seen || w.id
    from line l
    join heirloom.workspace w on w.id = l.parent_id
    where l.depth < 50 and w.id <> all (l.seen)
)
select l.id, l.name, l.parent_id, l.status
from line l
order by l.depth
