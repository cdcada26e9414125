-- A writer of the SQL door who names a project and no namespace writes into `project:<n>`.
-- Row-level security judges the row after this trigger, so it opens nothing.

create or replace function heirloom.memory_namespace() returns trigger
language plpgsql
as $$
begin
    new.namespace := 'project:' || new.project_id;
    return new;
end
$$;

create or replace trigger memory_namespace
before insert on heirloom.memory
for each row
when (new.namespace is null and new.project_id is not null)
execute function heirloom.memory_namespace();
