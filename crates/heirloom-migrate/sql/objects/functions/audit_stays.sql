-- The chain is only ever added to.
create or replace function heirloom_migrate.audit_stays() returns trigger
language plpgsql
set search_path = pg_catalog
as $body$
begin
    raise exception 'entries of the chain are neither changed nor removed' using errcode = 'check_violation';
end
$body$;
