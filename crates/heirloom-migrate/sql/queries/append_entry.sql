-- Appends an entry to the chain of a run; the trigger audit_append fills in the rest.
-- $1 run, $2 the program's clock or null, $3 which clock, $4 version, $5 which step, $6 payload
insert into heirloom_migrate.audit (run_id, at, clock, program, what, payload)
values ($1, $2, $3, $4, $5, $6)
returning run_id, seq, at, db_at, clock, role, place, program, what, payload,
          encode(payload_digest, 'hex') as payload_digest, encode(prev, 'hex') as prev, encode(hash, 'hex') as hash,
          -- Where the whole run goes to, when that is one place: the activity names it.
          (select r.home from heirloom_migrate.run as r where r.run_id = $1) as home
