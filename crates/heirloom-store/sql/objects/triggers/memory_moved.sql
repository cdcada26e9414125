-- A lesson that changes its project takes along the links to lessons that change it in the same statement. A link to
-- one that stays would cross namespaces: that is refused here, with what to do, before the foreign key refuses it in
-- words of its own. All rows of the statement have moved by now, and the links of this one with it: foreign keys go
-- first by their names.

create or replace function heirloom.memory_moved() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    behind bigint;
begin
    select m.lesson_id into behind
    from heirloom.edge e
    join heirloom.memory m
        on m.namespace = old.namespace
        and m.id = case when e.source_id = new.id then e.target_id else e.source_id end
    where e.namespace = new.namespace
        and (e.source_id = new.id or e.target_id = new.id)
    order by m.lesson_id
    limit 1;
    if found then
        raise exception 'lesson % is linked to lesson % of the project it would leave; a link stays within one project',
            new.lesson_id, behind
            using errcode = 'foreign_key_violation',
                hint = format(
                    'Move both in one statement, or take the links away first: delete from heirloom.edge where %L in (source_id, target_id)',
                    new.id
                );
    end if;
    return null;
end
$$;

create or replace trigger memory_moved
after update on heirloom.memory
for each row
when (new.namespace <> old.namespace)
execute function heirloom.memory_moved();
