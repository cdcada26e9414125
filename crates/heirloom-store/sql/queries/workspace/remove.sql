-- A workspace is purged; its children become roots. $1 id
delete from heirloom.workspace w where w.id = $1
