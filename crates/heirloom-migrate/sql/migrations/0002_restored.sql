-- Rows handed down again because the store had lost them: their memory was deleted past the store, without a tombstone.
alter table heirloom_migrate.chunk add column restored bigint not null default 0;
