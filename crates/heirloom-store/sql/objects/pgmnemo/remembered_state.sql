-- In which state a typed memory begins: what the system says, or an agent says with confidence of 0.8 or more, is
-- validated; the rest, and every contact of a person that no system vouches for, is a candidate, and so a ghost.

create or replace function pgmnemo.remembered_state(source_type text, confidence real, is_contact boolean) returns text
language sql
immutable
parallel safe
return case
    when source_type = 'system' then 'validated'
    when source_type = 'agent_authored' and not is_contact and confidence >= 0.8 then 'validated'
    else 'candidate'
end;
