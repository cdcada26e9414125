-- The first lesson that pgmnemo.ingest added in the statement of the client that asks; NULL where it has added none.
--
-- `select pgmnemo.ingest(…) from …` is one statement to its author and many to the database. Stable, so that it looks
-- with the eyes of that statement: what was added before the statement began it sees, what the statement itself adds it
-- does not.

create or replace function heirloom.ingest_first() returns bigint
language plpgsql
stable
set search_path = pg_catalog
as $$
declare
    -- When, in which namespace, which lesson.
    added constant text[] := string_to_array(nullif(current_setting('heirloom.ingest_added', true), ''), '|');
begin
    if added is null or added[1] <> extract(epoch from statement_timestamp())::text
        or exists (
            select from heirloom.memory m where m.namespace = added[2] and m.lesson_id = added[3]::bigint
        )
    then
        return null;
    end if;
    return added[3]::bigint;
end
$$;
