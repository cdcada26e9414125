-- Moves a lesson to another state by one of the nineteen pairs, and keeps who did it and why.

create or replace function pgmnemo.transition_lesson(
    lesson_id bigint,
    new_state text,
    reason text default null,
    actor text default null
) returns pgmnemo.agent_lesson
language plpgsql
set search_path = pg_catalog
as $$
declare
    lesson record;
    ways text;
    moved pgmnemo.agent_lesson;
begin
    select m.namespace, m.id, m.state, m.project_number, m.content into lesson
    from heirloom.memory m
    where m.lesson_id = transition_lesson.lesson_id and m.kind = 'lesson'
    order by m.namespace
    limit 1
    for update;
    if not found then
        raise exception 'lesson % not found', transition_lesson.lesson_id;
    end if;
    if not exists (
        select
        from pgmnemo.agent_lesson_state_transition t
        where t.from_state = lesson.state and t.to_state = transition_lesson.new_state
    ) then
        select string_agg(t.to_state, ', ' order by t.to_state) into ways
        from pgmnemo.agent_lesson_state_transition t
        where t.from_state = lesson.state;
        raise exception 'invalid state transition: % → %', lesson.state, transition_lesson.new_state
            using hint = case
                when ways is null then lesson.state || ' is final'
                else 'From ' || lesson.state || ' it may go to ' || ways
            end;
    end if;

    perform set_config('heirloom.noted', 'on', true);
    update heirloom.memory m
    set state = transition_lesson.new_state, state_changed_at = now()
    where m.namespace = lesson.namespace and m.id = lesson.id;
    perform set_config('heirloom.noted', 'off', true);
    perform heirloom.note_transition(
        lesson.namespace, lesson.id, lesson.state, transition_lesson.new_state, transition_lesson.actor,
        transition_lesson.reason
    );
    select l.* into moved
    from pgmnemo.agent_lesson l
    -- Another project may have a lesson of this id.
    where l.id = transition_lesson.lesson_id
        and l.project_id is not distinct from lesson.project_number
        and l.lesson_text = lesson.content
    order by l.state_changed_at desc nulls last
    limit 1;
    return moved;
end
$$;
