-- The owner and the administering role write it, the audit reads it; a tenant's SQL session learns nothing of the tree.
-- Not forced: the owner writes it.

alter table heirloom.workspace enable row level security;

drop policy if exists audit on heirloom.workspace;
create policy audit on heirloom.workspace for select to heirloom_audit using (true);

drop policy if exists admin on heirloom.workspace;
create policy admin on heirloom.workspace to heirloom_admin using (true) with check (true);
