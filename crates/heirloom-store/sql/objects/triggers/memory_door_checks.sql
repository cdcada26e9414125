-- What the constraints of the memory would refuse of a lesson is refused in the words of the SQL door: which column,
-- what was found, what is accepted. SQLSTATE and the constraint's name are those of the constraint.

create or replace function heirloom.memory_door_checks() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    named text;
    told text;
begin
    if new.importance not between 1 and 5 then
        named := 'importance';
        told := format('importance is %s: it takes 1 to 5', new.importance);
    elsif new.confidence not between 0 and 1 then
        named := 'confidence';
        told := format('confidence is %s: it takes 0 to 1', new.confidence);
    elsif heirloom.is_blank(new.content) then
        named := 'content';
        told := 'lesson_text is blank: it takes a text with at least one character that is not white space';
    elsif new.item_kind not in ('note', 'skill_md', 'template', 'script', 'reference', 'config', 'spec') then
        named := 'item_kind';
        told := format(
            'item_kind is ''%s'': it takes note, skill_md, template, script, reference, config or spec',
            left(heirloom.redact(new.item_kind), 40)
        );
    elsif new.source_type not in ('agent_authored', 'auto_captured', 'imported', 'system') then
        named := 'source_type';
        told := format(
            'source_type is ''%s'': it takes agent_authored, auto_captured, imported or system',
            left(heirloom.redact(new.source_type), 40)
        );
    else
        named := 'state';
        told := format(
            'state is ''%s'': it takes draft, candidate, validated, canonical, deprecated, superseded, archived, rejected or conflicted',
            left(heirloom.redact(new.state), 40)
        );
    end if;
    raise exception '%', told
        using errcode = 'check_violation', schema = 'pgmnemo', table = 'agent_lesson',
            column = case named when 'content' then 'lesson_text' else named end,
            constraint = 'memory_' || named || '_check';
end
$$;

-- After memory_door, which gives the default of source_type.
create or replace trigger memory_door_checks
before insert on heirloom.memory
for each row
when (
    new.source_type is not null
    and (
        new.importance not between 1 and 5
        or new.confidence not between 0 and 1
        or new.item_kind not in ('note', 'skill_md', 'template', 'script', 'reference', 'config', 'spec')
        or new.source_type not in ('agent_authored', 'auto_captured', 'imported', 'system')
        or new.state not in (
            'draft', 'candidate', 'validated', 'canonical', 'deprecated', 'superseded', 'archived', 'rejected',
            'conflicted'
        )
        or heirloom.is_blank(new.content)
    )
)
execute function heirloom.memory_door_checks();

create or replace trigger memory_door_checks_update
before update of importance, confidence, item_kind, source_type, state, content on heirloom.memory
for each row
when (
    heirloom.by_sql_door(new.source_type)
    and (
        new.importance not between 1 and 5
        or new.confidence not between 0 and 1
        or new.item_kind not in ('note', 'skill_md', 'template', 'script', 'reference', 'config', 'spec')
        or new.source_type not in ('agent_authored', 'auto_captured', 'imported', 'system')
        or new.state not in (
            'draft', 'candidate', 'validated', 'canonical', 'deprecated', 'superseded', 'archived', 'rejected',
            'conflicted'
        )
        or heirloom.is_blank(new.content)
    )
)
execute function heirloom.memory_door_checks();
