-- What was done to one memory, for its history and for a comparison that asks who changed it: without it all that ever
-- happened in its namespace was read. A load names no memory and adds nothing here.
create index activity_memory on heirloom.activity (memory_id, id) where memory_id is not null;
