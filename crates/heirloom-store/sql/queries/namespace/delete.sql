-- The namespace itself. $1 name
delete from heirloom.namespace n where n.name = $1
