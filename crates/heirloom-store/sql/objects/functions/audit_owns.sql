-- Functions that ask as the auditing role, who owns them. A restored dump leaves them to the store's owner, as whom they
-- would see nothing, and a function of somebody else's cannot be replaced: such a one goes, and its own file, which comes
-- after this one, makes it again.

do $$
declare
    other regprocedure;
begin
    for other in
        select p.oid::regprocedure
        from pg_catalog.pg_proc p
        where p.pronamespace = 'heirloom'::regnamespace
            and p.proname in ('whereabouts', 'word_candidates')
            and p.proowner <> 'heirloom_audit'::regrole
    loop
        execute format('drop function %s', other);
    end loop;
end
$$;
