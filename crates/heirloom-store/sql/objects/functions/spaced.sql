-- Puts spaces where a script has none (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese): each such character alone
-- and with the next, so that any substring is found by its pairs and a single character by itself.

create or replace function heirloom.spaced(content text) returns text
language sql
immutable
strict
parallel safe
as $$
    select string_agg(
        case
            when not c.unspaced then c.letter
            when c.next_unspaced then ' ' || c.letter || ' ' || c.letter || c.next || ' '
            else ' ' || c.letter || ' '
        end,
        '' order by c.at
    )
    from (
        select l.letter, l.at, l.unspaced, lead(l.letter) over along as next,
            coalesce(lead(l.unspaced) over along, false) as next_unspaced
        from (
            select x.letter, x.at,
                ascii(x.letter) between 3584 and 3839         -- Thai, Lao
                or ascii(x.letter) between 4096 and 4255      -- Burmese
                or ascii(x.letter) between 6016 and 6143      -- Khmer
                or ascii(x.letter) between 12352 and 12543    -- Hiragana, Katakana
                or ascii(x.letter) between 13312 and 19903    -- Han, extension A
                or ascii(x.letter) between 19968 and 40959    -- Han
                or ascii(x.letter) between 44032 and 55215    -- Hangul
                or ascii(x.letter) between 63744 and 64255    -- Han, compatibility
                or ascii(x.letter) between 131072 and 201551  -- Han, extensions B to G
                as unspaced
            from string_to_table(content, null) with ordinality x(letter, at)
        ) l
        window along as (order by l.at)
    ) c
$$;
