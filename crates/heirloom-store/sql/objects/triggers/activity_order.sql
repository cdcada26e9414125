-- Whoever adds to the activity has a transaction id before it takes an id from the sequence, so that a reader who sees
-- a gap can tell from its snapshot whether somebody may still fill it.

create or replace function heirloom.activity_order() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    perform pg_current_xact_id();
    return null;
end
$$;

create or replace trigger activity_order
before insert on heirloom.activity
for each statement
execute function heirloom.activity_order();
