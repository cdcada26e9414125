-- A number among the settings of the SQL door, held between its bounds. Unset and empty mean the fallback (which may
-- be NULL); what is no number is an error.

create or replace function heirloom.setting_number(
    name text,
    fallback double precision,
    lowest double precision,
    highest double precision
) returns double precision
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
declare
    found text := btrim(current_setting(setting_number.name, true), E' \t\r\n');
begin
    if coalesce(found, '') = '' then
        return setting_number.fallback;
    end if;
    if found !~ '^[+-]?([0-9]{1,15}\.?[0-9]{0,15}|\.[0-9]{1,15})([eE][+-]?[0-9]{1,2})?$' then
        raise exception '% is ''%'': it takes a number from % to %', setting_number.name, found, setting_number.lowest,
            setting_number.highest
            using errcode = 'invalid_parameter_value';
    end if;
    return least(greatest(found::double precision, setting_number.lowest), setting_number.highest);
end
$$;
