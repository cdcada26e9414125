-- Whoever writes a memory past the store's own code writes no credential with it: content, topic, role, metadata and
-- propagation are redacted before anything else is made of them (triggers fire by name). Clean rows are told apart by
-- one regular expression a text and call nothing.
--
-- heirloom.redacted = 'on' says that whoever writes has done this already (the store's own writes), or decided it
-- elsewhere (a migration, by its plan).

create or replace function heirloom.memory_credentials() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    new.content := heirloom.redact(new.content);
    new.topic := heirloom.redact(new.topic);
    new.role := heirloom.redact(new.role);
    new.metadata := heirloom.redact_json(new.metadata);
    new.propagation := heirloom.redact_json(new.propagation);
    return new;
end
$$;

create or replace trigger memory_credentials
before insert on heirloom.memory
for each row
when (
    current_setting('heirloom.redacted', true) is distinct from 'on'
    and (
        heirloom.may_hold_credential(new.content)
        or heirloom.may_hold_credential(new.topic)
        or heirloom.may_hold_credential(new.role)
        or heirloom.may_hold_credential(new.metadata::text)
        or heirloom.may_hold_credential(new.propagation::text)
    )
)
execute function heirloom.memory_credentials();

create or replace trigger memory_credentials_update
before update of content, topic, role, metadata, propagation on heirloom.memory
for each row
when (
    (new.content, new.topic, new.role, new.metadata, new.propagation)
        is distinct from (old.content, old.topic, old.role, old.metadata, old.propagation)
    and current_setting('heirloom.redacted', true) is distinct from 'on'
    and (
        heirloom.may_hold_credential(new.content)
        or heirloom.may_hold_credential(new.topic)
        or heirloom.may_hold_credential(new.role)
        or heirloom.may_hold_credential(new.metadata::text)
        or heirloom.may_hold_credential(new.propagation::text)
    )
)
execute function heirloom.memory_credentials();
