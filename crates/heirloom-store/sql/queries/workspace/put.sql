-- A workspace as its platform tells it. $1 id, $2 name, $3 parent, $4 status
insert into heirloom.workspace as w (id, name, parent_id, status)
values ($1, $2, $3, $4)
on conflict (id) do update set name = excluded.name, parent_id = excluded.parent_id, status = excluded.status
where (w.name, w.parent_id, w.status) is distinct from (excluded.name, excluded.parent_id, excluded.status)
