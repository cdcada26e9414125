-- A lesson that says something else by an UPDATE of the SQL door is another version, as one that `heirloom revise`
-- changes is; and one that goes to another state did so now, unless the writer says when. Numbers of versions only grow.

create or replace function heirloom.memory_door_version() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    if (new.role, new.topic, new.content, new.metadata) is distinct from (old.role, old.topic, old.content, old.metadata)
    then
        new.version_n := greatest(new.version_n, old.version_n + 1);
        if new.patch_count = old.patch_count then
            new.patch_count := old.patch_count + 1;
        end if;
    end if;
    if new.state <> old.state and new.state_changed_at is not distinct from old.state_changed_at then
        new.state_changed_at := now();
    end if;
    return new;
end
$$;

create or replace trigger memory_door_version
before update of role, topic, content, metadata, state on heirloom.memory
for each row
when (
    heirloom.by_sql_door(old.source_type)
    and (new.role, new.topic, new.content, new.metadata, new.state)
        is distinct from (old.role, old.topic, old.content, old.metadata, old.state)
)
execute function heirloom.memory_door_version();
