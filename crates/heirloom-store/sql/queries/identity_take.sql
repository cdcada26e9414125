-- Becomes another role in this transaction and says who it was. $1 the role
-- The SQL door's project would count where a round names no namespace. Whether credentials go is decided by whoever plans
-- a load, row by row, before it gets here. What it asks for is a few thousand rows by their ids: a parallel worker takes
-- longer to start than that takes, and several loads at once have no processor to spare. Nor does the audit read a store
-- of many tenants whole for them, which the planner thinks is cheaper up to some hundred thousand rows; whoever writes
-- reads a stage, which has no index.
with before as materialized (
    select
        current_setting('role') as role,
        coalesce(current_setting('heirloom.namespaces', true), '') as namespaces,
        coalesce(current_setting('pgmnemo.tenant_id', true), '') as project,
        coalesce(current_setting('heirloom.redacted', true), '') as redacted,
        current_setting('max_parallel_workers_per_gather') as workers,
        current_setting('enable_seqscan') as scans
)
select
    b.role, b.namespaces, b.project, b.redacted, b.workers, b.scans,
    set_config('role', $1, true), set_config('pgmnemo.tenant_id', '', true), set_config('heirloom.redacted', 'on', true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('enable_seqscan', case when $1 = 'heirloom_audit' then 'off' else b.scans end, true)
from before b
