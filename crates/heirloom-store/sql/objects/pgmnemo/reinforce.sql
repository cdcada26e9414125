-- What came of a lesson: success, failure or neutral. Confidence becomes the mean of a Beta posterior,
-- (successes + α) / (successes + failures + α + β); pgmnemo.confidence_mode = additive adds and subtracts instead.
-- A draft that was right often enough (pgmnemo.auto_promote_threshold, 3) is validated by the way, and its history
-- says so. p_used = false says the lesson was shown and not used: nothing is learnt. A neutral outcome counts a use
-- where the caller says it was used.

create or replace function pgmnemo.reinforce(
    p_lesson_id bigint,
    p_outcome text,
    p_used boolean default null
) returns real
language plpgsql
set search_path = pg_catalog
as $$
declare
    mode text := lower(btrim(current_setting('pgmnemo.confidence_mode', true)));
    alpha constant double precision := heirloom.setting_number('pgmnemo.confidence_prior_alpha', 1, 0.01, 100);
    beta constant double precision := heirloom.setting_number('pgmnemo.confidence_prior_beta', 1, 0.01, 100);
    gain constant double precision := heirloom.setting_number('pgmnemo.reinforce_success_delta', 0.02, 0, 0.5);
    loss constant double precision := heirloom.setting_number('pgmnemo.reinforce_fail_delta', 0.12, 0, 0.5);
    promotes constant boolean := heirloom.setting_flag('pgmnemo.auto_promote_enabled', true);
    enough constant double precision := heirloom.setting_number('pgmnemo.auto_promote_threshold', 3, 1, 1000000);
    lesson record;
    learnt real;
    promoted boolean;
begin
    if p_outcome is null or p_outcome not in ('success', 'failure', 'neutral') then
        raise exception 'pgmnemo.reinforce: unknown outcome ''%''; it takes success, failure or neutral', p_outcome;
    end if;
    mode := coalesce(nullif(mode, ''), 'posterior');
    if mode not in ('posterior', 'additive') then
        raise exception 'pgmnemo.confidence_mode is ''%'': it takes posterior or additive', mode;
    end if;

    select m.namespace, m.id, m.state, m.metadata, m.is_active, coalesce(m.confidence, 0.5) as confidence,
        m.success_count, m.fail_count
    into lesson
    from heirloom.memory m
    where m.lesson_id = p_lesson_id and m.kind = 'lesson'
    order by m.namespace
    limit 1
    for update;
    if not found then
        raise exception 'pgmnemo.reinforce: lesson % not found', p_lesson_id;
    end if;
    if p_used is false or (p_outcome = 'neutral' and p_used is null) then
        return lesson.confidence;
    end if;

    learnt := case
        when p_outcome = 'neutral' then lesson.confidence
        when mode = 'additive' then least(greatest(
            lesson.confidence + case p_outcome when 'success' then gain else -loss end, 0), 1)
        else (lesson.success_count + (p_outcome = 'success')::integer + alpha)
            / (lesson.success_count + lesson.fail_count + 1 + alpha + beta)
    end;
    promoted := promotes
        and p_outcome = 'success'
        and lesson.state = 'draft'
        and lesson.is_active
        and not coalesce(lesson.metadata @> '{"_auto_promote_exempt": true}', false)
        and lesson.success_count + 1 >= enough;

    perform set_config('heirloom.noted', 'on', true);
    update heirloom.memory m
    set confidence = learnt,
        success_count = m.success_count + (p_outcome = 'success')::integer,
        fail_count = m.fail_count + (p_outcome = 'failure')::integer,
        use_count = m.use_count + 1,
        last_outcome = p_outcome,
        last_outcome_at = now(),
        state = case when promoted then 'validated' else m.state end,
        state_changed_at = case when promoted then now() else m.state_changed_at end
    where m.namespace = lesson.namespace and m.id = lesson.id;
    perform set_config('heirloom.noted', 'off', true);
    if promoted then
        perform heirloom.note_transition(
            lesson.namespace, lesson.id, 'draft', 'validated', null, 'it was right ' || lesson.success_count + 1 || ' times'
        );
    end if;
    return learnt;
end
$$;
