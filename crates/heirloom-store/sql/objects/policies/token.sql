-- Nobody but the owner and the administering role, even where a right was granted by mistake: heirloom.authenticate asks
-- for the others. Not forced: the owner writes it.

alter table heirloom.token enable row level security;

drop policy if exists admin on heirloom.token;
create policy admin on heirloom.token to heirloom_admin using (true) with check (true);
