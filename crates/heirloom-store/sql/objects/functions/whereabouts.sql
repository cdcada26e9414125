-- Where an id stands, seen from one namespace: here, elsewhere, forgotten (anywhere), or NULL for an id that is free.
-- An id lives once in a store and the caller's own rights end at its namespaces, so this asks as the auditing role; it
-- says no more than a refusal of that id would.

-- Created by the auditing role itself, which may create in the schema for this one moment: so it is the owner now and
-- whenever this file changes.
grant usage, create on schema heirloom to heirloom_audit;
set local role heirloom_audit;

create or replace function heirloom.whereabouts(in_id uuid, in_namespace text) returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog
as $$
declare
    home text;
begin
    if not heirloom.may_see(in_namespace) then
        return null;
    end if;
    select m.namespace into home from heirloom.memory m where m.id = in_id limit 1;
    if found then
        return case when home = in_namespace then 'here' else 'elsewhere' end;
    end if;
    perform from heirloom.tombstone t where t.id = in_id limit 1;
    return case when found then 'forgotten' end;
end
$$;

set local role none;
revoke create on schema heirloom from heirloom_audit;
