-- How a lesson did, by pgmnemo.reinforce.
select jsonb_build_object(
    'lesson_id', ($1::jsonb ->> 'lesson_id')::bigint,
    'confidence', pgmnemo.reinforce(
        p_lesson_id => ($1 ->> 'lesson_id')::bigint, p_outcome => $1 ->> 'outcome', p_used => ($1 ->> 'used')::boolean
    )
) as answer
