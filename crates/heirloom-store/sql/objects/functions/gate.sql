-- What the provenance gate of the SQL door does with a lesson that has neither commit nor artifact: enforce (refuse),
-- warn (keep as a ghost and say so once a statement), off (keep as a ghost). Unset and empty mean enforce.

create or replace function heirloom.gate() returns text
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
declare
    found text := lower(btrim(current_setting('pgmnemo.gate_strict', true), E' \t\r\n'));
begin
    if coalesce(found, '') = '' then
        return 'enforce';
    end if;
    if found not in ('enforce', 'warn', 'off') then
        raise exception 'pgmnemo.gate_strict is ''%'': it takes enforce, warn or off', found
            using errcode = 'invalid_parameter_value';
    end if;
    return found;
end
$$;
