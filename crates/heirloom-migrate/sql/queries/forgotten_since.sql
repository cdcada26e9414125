-- How many memories of some namespaces were forgotten since a moment, those left out that the store itself had made (their
-- ids are of version 7). A tombstone does not say where its memory came from. Runs as the audit.
-- $1 since when, $2 namespaces
select count(*)
  from heirloom.tombstone as t
 where t.namespace = any ($2)
   and t.forgotten_at >= $1::timestamptz
   and substr(t.id::text, 15, 1) <> '7'
