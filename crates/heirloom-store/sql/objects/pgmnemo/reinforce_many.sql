-- The same outcome for several lessons; returns for how many it was noted. Ids that are not there are left out.

create or replace function pgmnemo.reinforce(
    p_lesson_ids bigint[],
    p_outcome text,
    p_used boolean default null
) returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
    lesson bigint;
    noted integer := 0;
begin
    if p_outcome is null or p_outcome not in ('success', 'failure', 'neutral') then
        raise exception 'pgmnemo.reinforce: unknown outcome ''%''; it takes success, failure or neutral', p_outcome;
    end if;
    if p_used is false or (p_outcome = 'neutral' and p_used is null) then
        return 0;
    end if;
    -- In one order for everybody, so that two callers wait for each other and never for ever.
    for lesson in
        select m.lesson_id
        from heirloom.memory m
        where m.lesson_id = any (p_lesson_ids) and m.kind = 'lesson'
        order by m.lesson_id
    loop
        perform pgmnemo.reinforce(lesson, p_outcome, p_used);
        noted := noted + 1;
    end loop;
    return noted;
end
$$;
