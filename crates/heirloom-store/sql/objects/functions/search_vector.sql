-- The words of a memory, those of its topic and role among them, with their positions. Only the first 131,072 characters
-- are split, because a tsvector ends at one megabyte and a long memory must be kept all the same.

create or replace function heirloom.search_vector(topic text, role text, content text) returns tsvector
language plpgsql
stable
parallel safe
as $$
declare
    words constant tsvector := to_tsvector(heirloom.text_config(), heirloom.searchable(left(content, 131072)));
begin
    if topic is null and role is null then
        return words;
    end if;
    return setweight(to_tsvector(heirloom.text_config(), heirloom.searchable(left(coalesce(topic, ''), 4096))), 'A')
        || setweight(to_tsvector(heirloom.text_config(), heirloom.searchable(left(coalesce(role, ''), 1024))), 'B')
        || words;
end
$$;
