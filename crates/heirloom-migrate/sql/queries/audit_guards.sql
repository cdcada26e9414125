-- Triggers that guard the chain and the states, and that are not there or do not fire.
select w.name
  from (values ('audit_append', 'audit'), ('audit_stays', 'audit'), ('run_step', 'run')) as w (name, relation)
 where not exists (
     select from pg_catalog.pg_trigger as t
      where t.tgrelid = to_regclass('heirloom_migrate.' || w.relation)
        and t.tgname = w.name
        and t.tgenabled in ('O', 'A')
        and not t.tgisinternal)
 order by w.name
