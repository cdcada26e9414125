-- No run takes a step that is not allowed.
create or replace trigger run_step
before update of state on heirloom_migrate.run
for each row execute function heirloom_migrate.run_step();
