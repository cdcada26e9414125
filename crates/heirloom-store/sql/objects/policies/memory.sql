-- A tenant sees and writes the namespaces its transaction names; the audit reads all. Unset or empty names none.

alter table heirloom.memory enable row level security;
alter table heirloom.memory force row level security;

drop policy if exists tenant on heirloom.memory;
create policy tenant on heirloom.memory to heirloom_serve
    using (namespace = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]))
    with check (namespace = any ((select string_to_array(current_setting('heirloom.namespaces', true), ','))::text[]));

drop policy if exists audit on heirloom.memory;
create policy audit on heirloom.memory for select to heirloom_audit using (true);
