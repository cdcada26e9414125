-- The roles of a cluster. They belong to no database, so another `up` may create them at this very moment, and a
-- store in another database may have made them long ago.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['heirloom_serve', 'heirloom_audit', 'heirloom_service', 'heirloom_admin'] loop
        if not exists (select from pg_catalog.pg_roles r where r.rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception
                when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;
end
$$;
