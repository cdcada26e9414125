-- Append-only: a tenant adds, and reads what happened in its namespaces. An act on several namespaces at once names
-- none (NULL); it may be added, and only the audit reads it.

alter table heirloom.activity enable row level security;
alter table heirloom.activity force row level security;

drop policy if exists tenant on heirloom.activity;
create policy tenant on heirloom.activity for select to heirloom_serve, heirloom_service
    using (namespace = any ((select heirloom.visible_namespaces())::text[]));

drop policy if exists tenant_append on heirloom.activity;
create policy tenant_append on heirloom.activity for insert to heirloom_serve, heirloom_service
    with check (
        namespace is null
        or namespace = any ((select heirloom.visible_namespaces())::text[])
    );

drop policy if exists audit on heirloom.activity;
create policy audit on heirloom.activity for select to heirloom_audit using (true);

drop policy if exists service on heirloom.activity;
create policy service on heirloom.activity for select to heirloom_service using ((select heirloom.serves_all()));

drop policy if exists service_append on heirloom.activity;
create policy service_append on heirloom.activity for insert to heirloom_service
    with check ((select heirloom.serves_all()));
