-- A tenant sees and writes the namespaces its transaction names; the audit reads all. Unset or empty names none.

alter table heirloom.revision enable row level security;
alter table heirloom.revision force row level security;

drop policy if exists tenant on heirloom.revision;
create policy tenant on heirloom.revision to heirloom_serve
    using (namespace = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]))
    with check (namespace = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]));

drop policy if exists audit on heirloom.revision;
create policy audit on heirloom.revision for select to heirloom_audit using (true);
