-- The project whose namespace this is, NULL for any other. The other way round it is 'project:' || number, so that
-- `project:007` is nobody's.

create or replace function heirloom.project_of(namespace text) returns integer
language plpgsql
immutable
parallel safe
set search_path = pg_catalog
as $$
begin
    if project_of.namespace ~ '^project:(0|-?[1-9][0-9]{0,9})$'
        and substr(project_of.namespace, 9)::bigint between -2147483648 and 2147483647
    then
        return substr(project_of.namespace, 9)::integer;
    end if;
    return null;
end
$$;
