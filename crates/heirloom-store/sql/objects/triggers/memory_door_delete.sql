-- What a DELETE of the SQL door takes away is forgotten, as by `heirloom forget`: the source row it came from goes too, a
-- tombstone keeps an import from bringing it back, and a line of activity says who did it, without the text.

create or replace function heirloom.memory_door_delete() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    delete from heirloom.origin o where o.namespace = old.namespace and o.id = old.id;
    insert into heirloom.tombstone (id, namespace)
    values (old.id, old.namespace)
    on conflict (id, namespace) do nothing;
    insert into heirloom.activity (action, namespace, memory_id, content_sha256)
    values ('forget', old.namespace, old.id, sha256(convert_to(old.content, 'UTF8')));
    return null;
end
$$;

create or replace trigger memory_door_delete
after delete on heirloom.memory
for each row
when (heirloom.by_sql_door(old.source_type))
execute function heirloom.memory_door_delete();
