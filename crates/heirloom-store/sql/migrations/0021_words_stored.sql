-- Where a row is too long for a page, its words go out of line as they are: trying to squeeze a tsvector took a fifth of what
-- writing a row of text costs, saved next to nothing, and put it there all the same. Rows that are there stay as they are.

alter table heirloom.memory alter column content_tsv set storage external;
