-- JSON with every string and every key redacted, and a string under a key that names a credential judged as if both
-- stood in one line. Keys that became one name are numbered.

create or replace function heirloom.redact_json(said jsonb) returns jsonb
language plpgsql
immutable
strict
parallel safe
set search_path = pg_catalog
as $$
declare
    entry record;
    name text;
    free text;
    twin integer;
    word text;
    line text;
    made jsonb := '{}';
begin
    case jsonb_typeof(said)
        when 'string' then
            return to_jsonb(heirloom.redact(said #>> '{}'));
        when 'array' then
            return coalesce(
                (
                    select jsonb_agg(heirloom.redact_json(e.item) order by e.n)
                    from jsonb_array_elements(said) with ordinality e (item, n)
                ),
                '[]'
            );
        when 'object' then
            for entry in
                select e.key, heirloom.redact(e.key) as clean, e.value
                from jsonb_each(said) with ordinality e (key, value, n)
                order by heirloom.redact(e.key) <> e.key, e.n
            loop
                if jsonb_typeof(entry.value) = 'string' then
                    word := heirloom.redact(entry.value #>> '{}');
                    if word = entry.value #>> '{}' and word <> '' and word !~ '[ \t\r\n]' then
                        line := heirloom.redact(entry.key || '=' || word);
                        if starts_with(line, entry.clean || '=') then
                            word := substr(line, length(entry.clean) + 2);
                        elsif line <> entry.key || '=' || word then
                            word := line;
                        end if;
                    end if;
                    entry.value := to_jsonb(word);
                else
                    entry.value := heirloom.redact_json(entry.value);
                end if;
                name := entry.clean;
                free := name;
                twin := 1;
                while made ? free loop
                    twin := twin + 1;
                    free := name || ' (' || twin || ')';
                end loop;
                made := made || jsonb_build_object(free, entry.value);
            end loop;
            return made;
        else
            return said;
    end case;
end
$$;
