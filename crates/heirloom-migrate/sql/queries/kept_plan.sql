-- Digest of a run's plan as the ledger keeps it, byte for byte. $1 run
select encode(sha256(convert_to(r.plan::text, 'UTF8')), 'hex')
  from heirloom_migrate.run as r
 where r.run_id = $1
