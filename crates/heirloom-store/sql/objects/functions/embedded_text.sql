-- The text of a memory that an embedding is made from: what it is about, an empty line, what it says.

create or replace function heirloom.embedded_text(topic text, content text) returns text
language sql
immutable
parallel safe
set search_path = pg_catalog
as $$
    select coalesce(nullif(topic, '') || E'\n\n', '') || content
$$;
