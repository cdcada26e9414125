-- What a memory gets beside its match, −0.04 to 0.07: pin 0.03, importance 0.01 a step from 3, state canonical 0.02,
-- validated 0.01, conflicted −0.02. Age needs none: of two equals the newer comes first.
-- Added up in hundredths, because numbers with a point would be of the slow type numeric.

create or replace function heirloom.recall_boost(pin boolean, importance smallint, state text) returns double precision
language sql
immutable
parallel safe
return (
    case when pin then 3 else 0 end
    + (importance - 3)
    + case state when 'canonical' then 2 when 'validated' then 1 when 'conflicted' then -2 else 0 end
) / 100::double precision;
