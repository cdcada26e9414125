-- Sessions and prepared transactions, ours left out, that hold or wait for a lock on a table by which it is written.
-- $1 oid
select coalesce(a.application_name, ''), coalesce(l.pid, 0), l.mode
  from pg_catalog.pg_locks as l
  left join pg_catalog.pg_stat_activity as a on a.pid = l.pid
 where l.locktype = 'relation'
   and l.database = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
   and l.relation = $1
   and l.pid is distinct from pg_backend_pid()
   and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
 order by l.pid
