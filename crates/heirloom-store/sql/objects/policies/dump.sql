-- The owner of a table reads it for a dump that asks for it, and never else. Owners may lift policies, so this shows
-- them nothing they could not see; what holds them in everyday work stays. After the other policies, which say what is
-- forced.

do $$
declare
    forced record;
begin
    for forced in
        select c.oid::regclass as name, r.rolname as owner
        from pg_catalog.pg_class c
        join pg_catalog.pg_roles r on r.oid = c.relowner
        where c.relnamespace = 'heirloom'::regnamespace and c.relforcerowsecurity
        order by c.relname
    loop
        execute format('drop policy if exists dump on %s', forced.name);
        execute format(
            'create policy dump on %s for select to %I using ((select heirloom.owner_dumps()))', forced.name, forced.owner
        );
    end loop;
end
$$;
