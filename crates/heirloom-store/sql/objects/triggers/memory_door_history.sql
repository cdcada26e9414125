-- What an UPDATE of the SQL door leaves behind, as the operations of the other doors do: what a lesson said before is
-- kept as a revision; and a line of activity says that it was revised, is kept until another time, or went to another
-- state, which its history says too. Which states follow each other is asked by pgmnemo.transition_lesson alone: an
-- UPDATE may set any, as in pgmnemo.
--
-- Learning (confidence and counts), vectors and marks of use are no history. A row at a time, so that the store's own
-- writes pay for nothing but the condition.

create or replace function heirloom.memory_door_history() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    says_else constant boolean :=
        (new.role, new.topic, new.content, new.metadata) is distinct from (old.role, old.topic, old.content, old.metadata);
    digest constant bytea := sha256(convert_to(new.content, 'UTF8'));
begin
    if says_else then
        -- Not under a number that is taken: a writer may have set version_n back.
        insert into heirloom.revision (namespace, memory_id, version_n, role, topic, content, metadata)
        select new.namespace, new.id, greatest(old.version_n, max(r.version_n) + 1), old.role, old.topic, old.content,
            old.metadata
        from heirloom.revision r
        where r.namespace = new.namespace and r.memory_id = new.id;
    end if;
    if says_else
        or (new.commit_sha, new.artifact_hash, new.verified_at, new.importance, new.is_active, new.namespace)
            is distinct from
            (old.commit_sha, old.artifact_hash, old.verified_at, old.importance, old.is_active, old.namespace)
    then
        insert into heirloom.activity (action, namespace, memory_id, content_sha256, details)
        values ('revise', new.namespace, new.id, digest, jsonb_build_object('version', new.version_n));
    end if;
    if new.expires_at is distinct from old.expires_at then
        insert into heirloom.activity (action, namespace, memory_id, content_sha256, details)
        values (
            'keep', new.namespace, new.id, digest,
            jsonb_build_object(
                'expires_us',
                case when isfinite(new.expires_at) then (extract(epoch from new.expires_at) * 1000000)::bigint end
            )
        );
    end if;
    if new.state <> old.state then
        perform heirloom.note_transition(new.namespace, new.id, old.state, new.state, null, null);
    end if;
    return null;
end
$$;

create or replace trigger memory_door_history
after update of role, topic, content, metadata, state, commit_sha, artifact_hash, verified_at, importance, is_active,
    expires_at, namespace, project_number
on heirloom.memory
for each row
when (
    heirloom.by_sql_door(old.source_type)
    and (
        new.role, new.topic, new.content, new.metadata, new.state, new.commit_sha, new.artifact_hash, new.verified_at,
        new.importance, new.is_active, new.expires_at, new.namespace
    ) is distinct from (
        old.role, old.topic, old.content, old.metadata, old.state, old.commit_sha, old.artifact_hash, old.verified_at,
        old.importance, old.is_active, old.expires_at, old.namespace
    )
)
execute function heirloom.memory_door_history();
