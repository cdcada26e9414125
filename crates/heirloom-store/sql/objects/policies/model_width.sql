-- A tenant sees and writes its namespaces, the service role all where it named none; the audit reads all.

alter table heirloom.model_width enable row level security;
alter table heirloom.model_width force row level security;

drop policy if exists tenant on heirloom.model_width;
create policy tenant on heirloom.model_width to heirloom_serve, heirloom_service
    using (namespace = any ((select heirloom.visible_namespaces())::text[]))
    with check (namespace = any ((select heirloom.visible_namespaces())::text[]));

drop policy if exists audit on heirloom.model_width;
create policy audit on heirloom.model_width for select to heirloom_audit using (true);

drop policy if exists service on heirloom.model_width;
create policy service on heirloom.model_width to heirloom_service
    using ((select heirloom.serves_all()))
    with check ((select heirloom.serves_all()));
