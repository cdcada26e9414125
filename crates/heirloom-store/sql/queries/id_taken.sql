-- Where an id lives, in whatever namespace, and whether it was ever forgotten; asked as heirloom_audit.
-- $1 id
select
    (select m.namespace from heirloom.memory m where m.id = $1 limit 1) as namespace,
    exists (select from heirloom.tombstone t where t.id = $1) as forgotten
