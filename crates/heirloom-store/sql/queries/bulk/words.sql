-- What pieces of texts mean to this store: the lexemes of each with their places in it, and where a lexeme's weight stands in
-- a word vector (as heirloom.word_vector says), from 0. $1: words as heirloom.searchable leaves them (kind 0). $2: pieces as they stand,
-- for their words (kind 1) and for the identifiers that follow at the end of a text (kind 2).
with raw as materialized (
    select r.at, heirloom.searchable(r.piece, false) as said, heirloom.searchable(r.piece) as whole
    from unnest($2::text[]) with ordinality r(piece, at)
)
select p.kind, p.at - 1 as piece, w.lexeme, w.positions, hashtext(w.lexeme) & 536870911 as at
from (
    select 0 as kind, l.at, to_tsvector(heirloom.text_config(), l.word) as words
    from unnest($1::text[]) with ordinality l(word, at)
    union all
    select 1, r.at, to_tsvector(heirloom.text_config(), r.said)
    from raw r
    union all
    select 2, r.at, to_tsvector(heirloom.text_config(), substr(r.whole, length(r.said) + 1))
    from raw r
) p
cross join lateral unnest(p.words) w
