-- A changed row stays in step with itself: both forms of its validity, of its task and of its project, the namespace of
-- that, and its provenance. The gate holds here too: whoever takes the last provenance of a lesson away makes it a ghost.
-- A bulk load that overwrites what it handed down (heirloom.times_given = 'on') brings provenance and times from its
-- source and is not asked.
--
-- updated_at: whoever changes anything of a lesson of the SQL door and does not say when, changed it now. Elsewhere
-- only what a memory says counts as a change (memory_updated_at).

create or replace function heirloom.memory_door_update() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    given constant boolean := coalesce(current_setting('heirloom.times_given', true), '') = 'on';
begin
    if new.t_valid_from is distinct from old.t_valid_from then
        new.valid_from := new.t_valid_from;
    elsif new.valid_from is distinct from old.valid_from or new.created_at is distinct from old.created_at then
        new.t_valid_from := coalesce(new.valid_from, new.created_at, '-infinity');
    end if;
    if new.t_valid_to is distinct from old.t_valid_to then
        new.valid_to := nullif(new.t_valid_to, 'infinity');
    elsif new.valid_to is distinct from old.valid_to then
        new.t_valid_to := coalesce(new.valid_to, 'infinity');
    end if;
    if new.source_task_number is distinct from old.source_task_number then
        new.source_task_id := new.source_task_number::text;
    elsif new.source_task_id is distinct from old.source_task_id then
        new.source_task_number :=
            case when new.source_task_id ~ '^-?[0-9]{1,18}$' then new.source_task_id::bigint end;
    end if;

    if new.project_number is distinct from old.project_number then
        new.project_id := new.project_number;
    elsif new.project_id is distinct from old.project_id or new.namespace <> old.namespace then
        new.project_number := coalesce(new.project_id, heirloom.project_of(new.namespace));
    end if;
    if new.project_number is distinct from old.project_number and new.namespace = old.namespace and not given
        and old.namespace = coalesce('project:' || old.project_number, 'custom:unassigned')
    then
        new.namespace := coalesce('project:' || new.project_number, 'custom:unassigned');
    end if;
    if old.source_type is not null then
        new.source_type := coalesce(new.source_type, 'auto_captured');
    end if;

    if new.kind = 'lesson' and not given
        and coalesce(btrim(new.commit_sha), '') = '' and coalesce(btrim(new.artifact_hash), '') = ''
        and (coalesce(btrim(old.commit_sha), '') <> '' or coalesce(btrim(old.artifact_hash), '') <> '')
    then
        if heirloom.gate() = 'enforce' then
            raise exception 'pgmnemo provenance gate [enforce]: UPDATE rejected: it would leave a lesson without commit_sha and artifact_hash'
                using hint = 'Give another commit or artifact in the same statement, or SET pgmnemo.gate_strict = ''warn'' or ''off'' to make it a ghost.';
        end if;
        new.verified_at := null;
        -- Once a statement of the client, not once a row.
        if heirloom.gate() = 'warn'
            and current_setting('heirloom.gate_warned', true) is distinct from statement_timestamp()::text
        then
            perform set_config('heirloom.gate_warned', statement_timestamp()::text, true);
            raise warning 'pgmnemo provenance gate [warn]: UPDATE left lessons without commit_sha and artifact_hash; they are ghosts now, which recall leaves out';
        end if;
    end if;

    if new.source_type is not null and not given and new.updated_at is not distinct from old.updated_at then
        new.updated_at := now();
    end if;
    return new;
end
$$;

create or replace trigger memory_door_update
before update on heirloom.memory
for each row
when (
    new.source_type is not null
    or old.source_type is not null
    or (new.valid_from, new.valid_to, new.t_valid_from, new.t_valid_to, new.created_at)
        is distinct from
        (old.valid_from, old.valid_to, old.t_valid_from, old.t_valid_to, old.created_at)
    or (new.namespace, new.project_id, new.project_number)
        is distinct from
        (old.namespace, old.project_id, old.project_number)
    or (new.source_task_id, new.source_task_number, new.commit_sha, new.artifact_hash)
        is distinct from
        (old.source_task_id, old.source_task_number, old.commit_sha, old.artifact_hash)
)
execute function heirloom.memory_door_update();
