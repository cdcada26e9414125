-- Whether a notice or warning of this kind is to be said: once a statement of the client, however many lessons it
-- ingests. `first` is heirloom.ingest_first().

create or replace function heirloom.ingest_says(kind text, first bigint) returns boolean
language plpgsql
set search_path = pg_catalog
as $$
declare
    now constant text := extract(epoch from statement_timestamp())::text;
    said text := coalesce(current_setting('heirloom.ingest_said', true), '');
begin
    -- Another statement, also where several came in one message and share their time.
    if split_part(said, '|', 1) <> now
        or (first is null and split_part(current_setting('heirloom.ingest_added', true), '|', 1) = now)
    then
        said := now;
    end if;
    if ingest_says.kind = any (string_to_array(said, '|')) then
        return false;
    end if;
    perform set_config('heirloom.ingest_said', said || '|' || ingest_says.kind, true);
    return true;
end
$$;
