-- What one source has handed down is asked for with every comparison. Without this, each tenant of a store of a thousand
-- reads the origins of them all. All rows of a source are one entry that repeats, so the index stays small.
create index origin_source on heirloom.origin (source);
