-- How busy a server is with others: bytes its furthest replica lags behind, sessions that wait for a lock, and sessions at
-- work. Our own session does not count; what may not be seen counts as nothing.
select coalesce((select max(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)) from pg_stat_replication as r where not pg_is_in_recovery()), 0)::bigint as lag,
       (select count(*) from pg_stat_activity as a where a.wait_event_type = 'Lock' and a.pid <> pg_backend_pid()) as waiting,
       (select count(*) from pg_stat_activity as a where a.state = 'active' and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
           and a.application_name not like 'heirloom%') as active
