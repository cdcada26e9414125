-- A tenant sees and writes its namespaces, the service role all where it named none; the audit reads all.

alter table heirloom.frequency enable row level security;
alter table heirloom.frequency force row level security;

drop policy if exists tenant on heirloom.frequency;
create policy tenant on heirloom.frequency to heirloom_serve, heirloom_service
    using (namespace = any ((select heirloom.visible_namespaces())::text[]))
    with check (namespace = any ((select heirloom.visible_namespaces())::text[]));

drop policy if exists audit on heirloom.frequency;
create policy audit on heirloom.frequency for select to heirloom_audit using (true);

drop policy if exists service on heirloom.frequency;
create policy service on heirloom.frequency to heirloom_service
    using ((select heirloom.serves_all()))
    with check ((select heirloom.serves_all()));
