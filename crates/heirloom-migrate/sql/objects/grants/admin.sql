-- What the administering role may do to the ledger: show migrations, sweep what soaks and replay what was set aside, as a
-- login that serves and owns nothing. An entry of the chain it may add and not change; the triggers hold the rest.

do $$
begin
    if exists (select from pg_catalog.pg_roles r where r.rolname = 'heirloom_admin') then
        grant usage on schema heirloom_migrate to heirloom_admin;
        grant select on all tables in schema heirloom_migrate to heirloom_admin;
        grant insert, update, delete
            on heirloom_migrate.run, heirloom_migrate.chunk, heirloom_migrate.reject, heirloom_migrate.conflict,
               heirloom_migrate.event, heirloom_migrate.leaf, heirloom_migrate.delivered
            to heirloom_admin;
        grant insert on heirloom_migrate.audit to heirloom_admin;
        grant usage on all sequences in schema heirloom_migrate to heirloom_admin;
    end if;
end
$$;
