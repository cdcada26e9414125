-- Each entry is finished by the database.
create or replace trigger audit_append
before insert on heirloom_migrate.audit
for each row execute function heirloom_migrate.audit_append();
