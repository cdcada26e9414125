-- What was handed down from a source, with the digest of what was written, in the order of ids. Runs as the audit.
-- $1 source, $2 the last id of the page before, $3 rows of a page
select o.id, o.namespace, o.source_key, o.written_digest
  from heirloom.origin as o
 where o.source = $1
   and ($2::uuid is null or o.id > $2)
 order by o.id
 limit $3
