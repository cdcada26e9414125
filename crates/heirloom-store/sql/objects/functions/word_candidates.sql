-- Where the rows of one large namespace lie that match a text query and that recall may show, by the index upkeep made for
-- it: at most `most`. Rows that are not shown take no place of those that are. Good for the statement that asks: what its
-- snapshot sees stays in its place until it ends.
--
-- Under row-level security `@@` is not leakproof, so it never becomes an index condition for the caller. This asks as
-- the auditing role instead, after the same question the policy asks; and what it finds is only where to look: recall
-- reads every row again with the caller's own rights.

-- Of earlier versions, which asked for matches alone.
drop function if exists heirloom.word_candidates(tsquery, text);

-- Created by the auditing role itself, which may create in the schema for this one moment: so it is the owner now and
-- whenever this file changes.
grant usage, create on schema heirloom to heirloom_audit;
set local role heirloom_audit;

create or replace function heirloom.word_candidates(
    words tsquery,
    in_namespace text,
    most integer,
    at timestamptz,
    include_unverified boolean,
    kinds text[],
    role text,
    exclude_dag text,
    content_types text[],
    also_states text[]
) returns tid[]
language plpgsql
stable
security definer
set search_path = pg_catalog
as $$
declare
    found tid[];
begin
    if heirloom.may_see(in_namespace) then
        -- The namespace as a constant: the index is one of this namespace alone.
        execute format(
            'select array(
                 select m.ctid
                 from heirloom.memory m
                 where m.namespace = %L and m.content_tsv @@ $1 and heirloom.is_recallable(m, $3, $4, $5, $6, $7, $8, $9)
                 limit $2
             )',
            in_namespace
        )
        into found
        using words, most, at, include_unverified, kinds, word_candidates.role, exclude_dag, content_types, also_states;
    end if;
    return found;
end
$$;

set local role none;
revoke create on schema heirloom from heirloom_audit;
