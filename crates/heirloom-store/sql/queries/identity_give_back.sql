-- Becomes who the transaction was before. $1 role, $2 namespaces, $3 the SQL door's project, $4 whether credentials are gone,
-- $5 how many parallel workers a query may have, $6 whether it may read a table whole
select
    set_config('role', $1, true), set_config('heirloom.namespaces', $2, true),
    set_config('pgmnemo.tenant_id', $3, true), set_config('heirloom.redacted', $4, true),
    set_config('max_parallel_workers_per_gather', $5, true), set_config('enable_seqscan', $6, true)
