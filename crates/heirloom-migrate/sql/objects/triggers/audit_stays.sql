-- No entry is changed or removed, by whatever statement.
create or replace trigger audit_stays
before update or delete or truncate on heirloom_migrate.audit
for each statement execute function heirloom_migrate.audit_stays();
