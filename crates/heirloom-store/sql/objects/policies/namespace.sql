-- A tenant sees and writes its namespaces, the service role all where it named none; the audit reads all.

alter table heirloom.namespace enable row level security;
alter table heirloom.namespace force row level security;

drop policy if exists tenant on heirloom.namespace;
create policy tenant on heirloom.namespace to heirloom_serve, heirloom_service
    using (name = any ((select heirloom.visible_namespaces())::text[]))
    with check (name = any ((select heirloom.visible_namespaces())::text[]));

drop policy if exists audit on heirloom.namespace;
create policy audit on heirloom.namespace for select to heirloom_audit using (true);

drop policy if exists service on heirloom.namespace;
create policy service on heirloom.namespace to heirloom_service
    using ((select heirloom.serves_all()))
    with check ((select heirloom.serves_all()));
