-- The pgmnemo whose surface this is. Which Heirloom it is stands in heirloom.meta.

create or replace function pgmnemo.version() returns text
language sql
immutable
parallel safe
return '0.20.0'::text;
