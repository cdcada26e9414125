-- Refuses what is no key of an entity, naming who asked and which argument.

create or replace function pgmnemo.entity_key(asked_by text, argument text, key text) returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog
as $$
begin
    if entity_key.key is null or entity_key.key !~ '^(person|org|project|product|location|concept):[a-z0-9_]+$' then
        raise exception 'pgmnemo.%: invalid % ''%''; it takes person:, org:, project:, product:, location: or concept: and then a-z, 0-9 and _',
            entity_key.asked_by, entity_key.argument, entity_key.key;
    end if;
    return entity_key.key;
end
$$;
