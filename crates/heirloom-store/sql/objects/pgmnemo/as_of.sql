-- Every lesson that was valid at a moment, whatever else it is.

create or replace function pgmnemo.as_of(ts timestamptz) returns setof pgmnemo.agent_lesson
language sql
stable
begin atomic
    select l.*
    from pgmnemo.agent_lesson l
    where l.t_valid_from <= as_of.ts and l.t_valid_to > as_of.ts;
end;
