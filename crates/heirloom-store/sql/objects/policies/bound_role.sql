-- A login sees its own binding and no other's. Not forced: the owner writes it, and nobody else may.

alter table heirloom.bound_role enable row level security;

drop policy if exists own on heirloom.bound_role;
create policy own on heirloom.bound_role for select to heirloom_serve, heirloom_service
    using (role_name = session_user);

drop policy if exists audit on heirloom.bound_role;
create policy audit on heirloom.bound_role for select to heirloom_audit using (true);
