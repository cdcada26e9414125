-- Which of these ids were handed down from this source, by the record that outlives the memory. Runs as the audit.
-- $1 source, $2 ids
select o.id from heirloom.origin as o where o.source = $1 and o.id = any ($2)
