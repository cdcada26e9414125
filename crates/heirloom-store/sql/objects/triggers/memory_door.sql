-- A lesson that comes in by the SQL door: the provenance gate, the namespace of its project, and the memory's own form
-- of what the door says in another. Row-level security judges the row after this trigger, so it opens nothing.
--
-- Such a lesson has a source_type, by the view's default; and it has neither namespace nor project_id, because the view
-- has no column for those. By the second it is known where its writer says source_type NULL, which means the default.
--
-- A lesson without provenance is a ghost whoever wrote it, whatever it says of itself. A lesson that does not say from
-- when it is valid is valid since it was made, so that looking back before an import finds it; the view's default for
-- that is `infinity`, which nobody means.

create or replace function heirloom.memory_door() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    if new.role is null or new.topic is null then
        raise exception 'null value in column "%" of relation "agent_lesson" violates not-null constraint',
            case when new.role is null then 'role' else 'topic' end
            using errcode = 'not_null_violation';
    end if;
    if coalesce(btrim(new.commit_sha), '') = '' and coalesce(btrim(new.artifact_hash), '') = '' then
        if heirloom.gate() = 'enforce' then
            raise exception 'pgmnemo provenance gate [enforce]: INSERT rejected: a lesson needs commit_sha or artifact_hash, and an empty one is none'
                using hint = 'Say which commit or artifact taught it. For a backfill: SET pgmnemo.gate_strict = ''warn'' (kept as a ghost, which recall leaves out, with a warning) or ''off'' (the same in silence).';
        end if;
        new.verified_at := null;
    end if;

    new.source_type := coalesce(new.source_type, 'auto_captured');
    new.project_id := coalesce(new.project_id, new.project_number);
    new.namespace := coalesce(new.namespace, 'project:' || new.project_id, 'custom:unassigned');
    new.project_number := coalesce(new.project_id, heirloom.project_of(new.namespace));
    if new.t_valid_from = 'infinity' then
        new.t_valid_from := least(coalesce(new.created_at, now()), now());
    end if;
    new.valid_from := new.t_valid_from;
    new.valid_to := nullif(new.t_valid_to, 'infinity');
    if new.source_task_number is not null then
        new.source_task_id := new.source_task_number::text;
    end if;
    new.source := case new.source_type when 'imported' then 'imported' when 'system' then 'runtime' else 'agent' end;
    return new;
end
$$;

create or replace trigger memory_door
before insert on heirloom.memory
for each row
when (new.source_type is not null or (new.namespace is null and new.project_id is null and new.kind = 'lesson'))
execute function heirloom.memory_door();
