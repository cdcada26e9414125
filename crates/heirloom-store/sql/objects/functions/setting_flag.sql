-- A switch of the SQL door: any spelling PostgreSQL reads as a boolean, in any case, with spaces around. Unset and
-- empty mean the fallback; anything else is an error, because a switch that silently stays where it was is a trap.

create or replace function heirloom.setting_flag(name text, fallback boolean) returns boolean
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
declare
    found text := lower(btrim(current_setting(setting_flag.name, true), E' \t\r\n'));
begin
    case
        when coalesce(found, '') = '' then
            return setting_flag.fallback;
        when found in ('on', '1', 't', 'tr', 'tru', 'true', 'y', 'ye', 'yes') then
            return true;
        when found in ('of', 'off', '0', 'f', 'fa', 'fal', 'fals', 'false', 'n', 'no') then
            return false;
        else
            raise exception '% is ''%'': it takes on or off (or true, false, yes, no, 1, 0)', setting_flag.name, found
                using errcode = 'invalid_parameter_value';
    end case;
end
$$;
