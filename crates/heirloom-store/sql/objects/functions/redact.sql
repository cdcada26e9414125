-- A text with `[REDACTED:LABEL]` in the place of each credential: what `heirloom_store::redact` does, for writers of the
-- SQL door. A test compares the two.
--
-- A rule with conditions is applied match by match: the gaps and the matches of one pattern, put together again in
-- their order. Passes are repeated until one changes nothing.

create or replace function heirloom.redact(said text) returns text
language plpgsql
immutable
strict
parallel safe
set search_path = pg_catalog
as $$
declare
    now_said text := said;
    small text := lower(said collate "C");
    before text;
    rule record;
    place text;
begin
    if not heirloom.may_hold_credential(said) then
        return said;
    end if;
    for pass in 1..4 loop
        before := now_said;
        for rule in select r.* from heirloom.redaction_rules() r order by r.n loop
            -- Few patterns are compiled for one text: a session keeps 32 of them.
            continue when rule.hints <> '{}'
                and not exists (select from unnest(rule.hints) h (hint) where strpos(small, h.hint) > 0);
            continue when now_said !~ rule.pattern;
            place := '[REDACTED:' || rule.label || ']';
            if rule.must = '{}' and rule.never = '{}' and rule.not_after is null then
                now_said := regexp_replace(now_said, rule.pattern, '\1' || place, 'g');
            else
                select string_agg(
                    g.gap || coalesce(
                        m.groups[1] || case
                            when exists (select from unnest(rule.must) c (must) where m.groups[2] !~ c.must)
                                or exists (select from unnest(rule.never) c (never) where m.groups[2] ~ c.never)
                                or m.groups[1] ~ rule.not_after
                            then m.groups[2]
                            else place
                        end,
                        ''
                    ),
                    '' order by g.n
                ) into now_said
                from regexp_split_to_table(now_said, rule.pattern) with ordinality g (gap, n)
                left join regexp_matches(now_said, rule.pattern, 'g') with ordinality m (groups, n) on m.n = g.n;
            end if;
            small := lower(now_said collate "C");
        end loop;
        exit when now_said = before;
    end loop;
    return now_said;
end
$$;
