-- Rows that map and that the database or the store alone refused when they were handed down: open, and with the bytes they had then.
-- $1 source, $2 keys
select r.source_key, r.source_digest
from heirloom_migrate.reject r
where
    r.source = $1 and r.state = 'open' and r.code in ('database', 'would-hide', 'model-width') and r.source_key = any ($2)
    and md5(r.source_key) in (select md5(k) from unnest($2::text[]) as k)
