-- What a memory gets beside its match, −0.04 to 0.07: pin 0.03, importance 0.01 a step from 3, state canonical 0.02,
-- validated 0.01, conflicted −0.02. Age needs none: of two equals the newer comes first.

create or replace function heirloom.recall_boost(pin boolean, importance smallint, state text) returns double precision
language sql
immutable
parallel safe
return (
    case when pin then 0.03 else 0 end
    + (importance - 3) * 0.01
    + case state when 'canonical' then 0.02 when 'validated' then 0.01 when 'conflicted' then -0.02 else 0 end
)::double precision;
