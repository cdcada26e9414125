-- A moment among the settings of the SQL door. Unset and empty mean NULL; what is no moment is an error.

create or replace function heirloom.setting_time(name text) returns timestamptz
language plpgsql
stable
set search_path = pg_catalog
as $$
declare
    found text := nullif(btrim(current_setting(setting_time.name, true), E' \t\r\n'), '');
begin
    -- PostgreSQL 15 cannot ask beforehand and says so in its own words. No exception block: one costs each call, and the
    -- embedded engine does not catch it.
    if found is not null and current_setting('server_version_num')::integer >= 160000
        and not pg_input_is_valid(found, 'timestamptz')
    then
        raise exception '% is ''%'': it takes a moment, as 2026-01-31 12:00:00+00', setting_time.name, found
            using errcode = 'invalid_datetime_format';
    end if;
    return found::timestamptz;
end
$$;
