-- The memories of these keys of a source, in the order of the keys; those that are gone are left out. Runs as the audit.
-- $1 source, $2 keys
select o.id
  from unnest($2::text[]) with ordinality as k (source_key, n)
  join heirloom.origin as o on o.source = $1 and o.source_key = k.source_key
 order by k.n
