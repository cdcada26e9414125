-- Whoever changes what a memory says and does not say when, changed it now.
-- A bulk load that overwrites sets heirloom.times_given = 'on': its times are the source's, and NULL stays NULL.

create or replace function heirloom.memory_updated_at() returns trigger
language plpgsql
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

create or replace trigger memory_updated_at
before update of role, topic, content, metadata, updated_at on heirloom.memory
for each row
when (
    new.updated_at is not distinct from old.updated_at
    and (new.role, new.topic, new.content, new.metadata) is distinct from (old.role, old.topic, old.content, old.metadata)
    and current_setting('heirloom.times_given', true) is distinct from 'on'
)
execute function heirloom.memory_updated_at();
