-- The owner writes it, the audit reads it; a tenant's SQL session learns nothing of the tree.
-- Not forced: the owner writes it, and nobody else may.

alter table heirloom.workspace enable row level security;

drop policy if exists audit on heirloom.workspace;
create policy audit on heirloom.workspace for select to heirloom_audit using (true);
