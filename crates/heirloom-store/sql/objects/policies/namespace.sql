-- A tenant sees and writes the namespaces its transaction names; the audit reads all. Unset or empty names none.

alter table heirloom.namespace enable row level security;
alter table heirloom.namespace force row level security;

drop policy if exists tenant on heirloom.namespace;
create policy tenant on heirloom.namespace to heirloom_serve
    using (name = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]))
    with check (name = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]));

drop policy if exists audit on heirloom.namespace;
create policy audit on heirloom.namespace for select to heirloom_audit using (true);
