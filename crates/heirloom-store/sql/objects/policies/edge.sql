-- A tenant sees and writes the namespaces its transaction names; the audit reads all. Unset or empty names none.

alter table heirloom.edge enable row level security;
alter table heirloom.edge force row level security;

drop policy if exists tenant on heirloom.edge;
create policy tenant on heirloom.edge to heirloom_serve
    using (namespace = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]))
    with check (namespace = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]));

drop policy if exists audit on heirloom.edge;
create policy audit on heirloom.edge for select to heirloom_audit using (true);
