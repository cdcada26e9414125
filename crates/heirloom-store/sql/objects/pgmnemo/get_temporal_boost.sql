-- The factor on the weight of recency, 0 to 20, as the session set it.

create or replace function pgmnemo.get_temporal_boost() returns double precision
language sql
stable
parallel safe
return heirloom.setting_number('pgmnemo.temporal_boost', 1, 0, 20);
