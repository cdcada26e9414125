-- The reasons people give for a step or for forgetting are free text: no credential stays in one.

create or replace function heirloom.reason_credentials() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    new.reason := heirloom.redact(new.reason);
    return new;
end
$$;

create or replace trigger reason_credentials
before insert or update of reason on heirloom.state_transition
for each row
when (
    current_setting('heirloom.redacted', true) is distinct from 'on'
    and heirloom.may_hold_credential(new.reason)
)
execute function heirloom.reason_credentials();

create or replace trigger reason_credentials
before insert or update of reason on heirloom.tombstone
for each row
when (
    current_setting('heirloom.redacted', true) is distinct from 'on'
    and heirloom.may_hold_credential(new.reason)
)
execute function heirloom.reason_credentials();
