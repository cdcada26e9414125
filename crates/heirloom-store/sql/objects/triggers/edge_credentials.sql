-- What is said of a link is no place for a credential either.

create or replace function heirloom.edge_credentials() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    new.metadata := heirloom.redact_json(new.metadata);
    return new;
end
$$;

create or replace trigger edge_credentials
before insert or update of metadata on heirloom.edge
for each row
when (
    current_setting('heirloom.redacted', true) is distinct from 'on'
    and heirloom.may_hold_credential(new.metadata::text)
)
execute function heirloom.edge_credentials();
