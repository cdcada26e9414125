-- The namespace that a whole run goes to, by which the store's activity names its steps; NULL where it goes to several, and
-- for a run from before. Not read from the plan: a key in there may hold what PostgreSQL's JSON functions refuse.
alter table heirloom_migrate.run add column home text collate "C";
