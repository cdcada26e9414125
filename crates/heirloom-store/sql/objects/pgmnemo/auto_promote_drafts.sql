-- Drafts that were right often enough, whose last outcome was a success: which they are, and, unless it is a dry run,
-- validated with a line of history each.

create or replace function pgmnemo.auto_promote_drafts(
    p_dry_run boolean default true,
    p_limit integer default null
) returns table (
    lesson_id bigint,
    role text,
    topic text,
    success_count integer,
    fail_count integer,
    dry_run boolean
)
language plpgsql
set search_path = pg_catalog
as $$
#variable_conflict use_column
declare
    enough constant double precision := heirloom.setting_number('pgmnemo.auto_promote_threshold', 3, 1, 1000000);
    lesson record;
begin
    for lesson in
        select m.namespace, m.id, m.lesson_id, m.role, m.topic, m.success_count, m.fail_count
        from heirloom.memory m
        where m.kind = 'lesson'
            and m.state = 'draft'
            and m.is_active
            and m.last_outcome = 'success'
            and m.success_count >= enough
            and not coalesce(m.metadata @> '{"_auto_promote_exempt": true}', false)
        order by m.success_count desc, m.lesson_id
        limit p_limit
    loop
        if not p_dry_run then
            perform set_config('heirloom.noted', 'on', true);
            update heirloom.memory m
            set state = 'validated', state_changed_at = now()
            where m.namespace = lesson.namespace and m.id = lesson.id;
            perform set_config('heirloom.noted', 'off', true);
            perform heirloom.note_transition(
                lesson.namespace, lesson.id, 'draft', 'validated', null,
                'it was right ' || lesson.success_count || ' times'
            );
        end if;
        return query
        select lesson.lesson_id, lesson.role, lesson.topic, lesson.success_count, lesson.fail_count, p_dry_run;
    end loop;
end
$$;
