-- Whether a memory is being changed by the SQL door, whose statements know nothing of history: then triggers keep it.
-- source_type is the memory's.
--
-- Not where the writer keeps it itself: the store and the loader (heirloom.redacted = 'on'), a bulk load that overwrites
-- what it handed down (heirloom.times_given = 'on'), the functions of the door that note their steps with a reason
-- (heirloom.noted = 'on'). Nor where somebody whom no policy holds repairs a row of another door by hand: what happens
-- to a migrated row that way stays unexplained, and a comparison with its source says so.
--
-- Without settings of its own, so that it becomes part of the condition that asks.

create or replace function heirloom.by_sql_door(source_type text) returns boolean
language sql
stable
parallel safe
return current_setting('heirloom.redacted', true) is distinct from 'on'
    and current_setting('heirloom.times_given', true) is distinct from 'on'
    and current_setting('heirloom.noted', true) is distinct from 'on'
    and (source_type is not null or row_security_active('heirloom.memory'::regclass));
