-- The text configuration of this store's language, for `to_tsquery(heirloom.text_config(), …)`. The language of a store
-- never changes, so it stands in the function as a constant: every row that is written asks for it.

do $$
begin
    execute format(
        'create or replace function heirloom.text_config() returns regconfig
         language sql immutable parallel safe
         as %L',
        format('select %L::regconfig', (select format('heirloom.%I', m.language) from heirloom.meta m))
    );
end
$$;
