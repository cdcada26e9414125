-- The chain of a run, oldest first. $1 run
select a.run_id, a.seq, a.at, a.db_at, a.clock, a.role, a.place, a.program, a.what, a.payload,
       encode(a.payload_digest, 'hex') as payload_digest, encode(a.prev, 'hex') as prev, encode(a.hash, 'hex') as hash
  from heirloom_migrate.audit as a
 where a.run_id = $1
 order by a.seq
