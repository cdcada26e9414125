-- The text configuration of this store's language, for `to_tsquery(heirloom.text_config(), …)`.

create or replace function heirloom.text_config() returns regconfig
language sql
stable
parallel safe
as $$
    select format('heirloom.%I', m.language)::regconfig from heirloom.meta m
$$;
