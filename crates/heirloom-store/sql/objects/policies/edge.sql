-- A tenant sees and writes its namespaces, the service role all where it named none; the audit reads all.

alter table heirloom.edge enable row level security;
alter table heirloom.edge force row level security;

drop policy if exists tenant on heirloom.edge;
create policy tenant on heirloom.edge to heirloom_serve, heirloom_service
    using (namespace = any ((select heirloom.visible_namespaces())::text[]))
    with check (namespace = any ((select heirloom.visible_namespaces())::text[]));

drop policy if exists audit on heirloom.edge;
create policy audit on heirloom.edge for select to heirloom_audit using (true);

drop policy if exists service on heirloom.edge;
create policy service on heirloom.edge to heirloom_service
    using ((select heirloom.serves_all()))
    with check ((select heirloom.serves_all()));
