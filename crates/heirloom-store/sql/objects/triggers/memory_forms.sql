-- A row of another door: its validity, its task and its project in the form the SQL door shows. Most rows are valid
-- from now on and have neither task nor project; they are in step by their defaults and never come here, nor do those of a load.

create or replace function heirloom.memory_forms() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    new.t_valid_from := coalesce(new.valid_from, new.created_at, '-infinity');
    new.t_valid_to := coalesce(new.valid_to, 'infinity');
    if new.source_task_id ~ '^-?[0-9]{1,18}$' then
        new.source_task_number := new.source_task_id::bigint;
    end if;
    new.project_number := coalesce(new.project_id, heirloom.project_of(new.namespace));
    return new;
end
$$;

create or replace trigger memory_forms
before insert on heirloom.memory
for each row
when (
    new.source_type is null
    and (
        new.t_valid_from is distinct from coalesce(new.valid_from, new.created_at, '-infinity')
        or new.t_valid_to is distinct from coalesce(new.valid_to, 'infinity')
        or new.source_task_id is not null
        or new.project_id is not null
        or new.namespace like 'project:%'
    )
)
execute function heirloom.memory_forms();
