-- Lessons nobody used for long and nobody vouches for: made longer ago, last shown (mark_recalled) and last reinforced
-- longer ago than p_unused_days, of less confidence than p_min_confidence_keep, and, with p_keep_provenance, without
-- commit and artifact. The longest unused first, at most p_cap. Unless it is a dry run they become deprecated, which
-- recall leaves out, with a line of history each.

create or replace function pgmnemo.mark_stale(
    p_unused_days integer default 45,
    p_min_confidence_keep real default 0.6,
    p_keep_provenance boolean default true,
    p_dry_run boolean default true,
    p_cap integer default 500
) returns table (
    lesson_id bigint,
    role text,
    topic text,
    last_recalled_at timestamptz,
    confidence real,
    would_deprecate boolean
)
language plpgsql
set search_path = pg_catalog
as $$
#variable_conflict use_column
declare
    since constant timestamptz := now() - make_interval(days => p_unused_days);
    lesson record;
begin
    for lesson in
        select m.namespace, m.id, m.lesson_id, m.role, m.topic, m.last_recalled_at, m.confidence, m.state
        from heirloom.memory m
        where m.kind = 'lesson'
            and m.is_active
            and not m.pin
            and m.t_valid_to = 'infinity'
            and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
            and greatest(m.created_at, m.last_recalled_at, m.last_outcome_at) < since
            and coalesce(m.confidence, 0) < p_min_confidence_keep
            and not (
                p_keep_provenance
                and (coalesce(btrim(m.commit_sha), '') <> '' or coalesce(btrim(m.artifact_hash), '') <> '')
            )
        order by greatest(m.created_at, m.last_recalled_at, m.last_outcome_at), m.lesson_id
        limit p_cap
    loop
        if not p_dry_run then
            perform set_config('heirloom.noted', 'on', true);
            update heirloom.memory m
            set state = 'deprecated', state_changed_at = now()
            where m.namespace = lesson.namespace and m.id = lesson.id;
            perform set_config('heirloom.noted', 'off', true);
            perform heirloom.note_transition(
                lesson.namespace, lesson.id, lesson.state, 'deprecated', null,
                'unused for ' || p_unused_days || ' days'
            );
        end if;
        return query
        select lesson.lesson_id, lesson.role, lesson.topic, lesson.last_recalled_at, lesson.confidence, true;
    end loop;
end
$$;
