-- How the rows of a chunk looked when it was done: a sum over the version of each, under its key. While the source shows the
-- same, its values need not be read again. Absent where the source keeps no versions, or some of the rows were dealt with
-- apart since.
alter table heirloom_migrate.chunk
    add column source_look bytea check (octet_length(source_look) = 16);
