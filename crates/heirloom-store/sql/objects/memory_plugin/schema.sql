-- The schema the platform's memory plugin kept its tables in: the same rows as views, with the caller's own rights.
-- A schema of this name that is somebody else's is left alone.

do $$
begin
    if to_regnamespace('memory_plugin') is null then
        create schema memory_plugin;
        comment on schema memory_plugin is
            'The memory plugin of Heirloom: views over heirloom.memory and heirloom.namespace.';
    end if;
end
$$;
