-- Takes consolidations back: of one lesson, or of all. What was merged is active again and in the state it had, and the
-- links that said so are gone. A dry run, the default, only says what would come back.

create or replace function pgmnemo.undo_consolidate(
    p_canonical_id bigint default null,
    p_dry_run boolean default true
) returns table (
    canonical_id bigint,
    member_ids bigint[],
    size integer
)
language plpgsql
set search_path = pg_catalog
as $$
#variable_conflict use_column
declare
    best record;
    member record;
begin
    for best in
        select t.namespace, t.id, t.lesson_id, array_agg(s.lesson_id order by s.lesson_id) as ids
        from heirloom.edge e
        join heirloom.memory s on s.namespace = e.namespace and s.id = e.source_id
        join heirloom.memory t on t.namespace = e.namespace and t.id = e.target_id
        where e.relation = 'SUPERSEDED_BY'
            and e.valid_to is null
            and e.metadata @> '{"consolidation": true}'
            and (p_canonical_id is null or t.lesson_id = p_canonical_id)
        group by t.namespace, t.id, t.lesson_id
        order by t.lesson_id
    loop
        if not p_dry_run then
            for member in
                select s.namespace, s.id, s.state, e.metadata ->> 'prior_state' as prior_state
                from heirloom.edge e
                join heirloom.memory s on s.namespace = e.namespace and s.id = e.source_id
                where e.namespace = best.namespace
                    and e.target_id = best.id
                    and e.relation = 'SUPERSEDED_BY'
                    and e.valid_to is null
                    and e.metadata @> '{"consolidation": true}'
                order by s.lesson_id
            loop
                perform set_config('heirloom.noted', 'on', true);
                update heirloom.memory m
                set state = member.prior_state, is_active = true, state_changed_at = now()
                where m.namespace = member.namespace and m.id = member.id;
                perform set_config('heirloom.noted', 'off', true);
                perform heirloom.note_transition(
                    member.namespace, member.id, member.state, member.prior_state, null,
                    'consolidation into lesson ' || best.lesson_id || ' taken back'
                );
            end loop;
            delete from heirloom.edge e
            where e.namespace = best.namespace
                and e.target_id = best.id
                and e.relation = 'SUPERSEDED_BY'
                and e.valid_to is null
                and e.metadata @> '{"consolidation": true}';
            update heirloom.memory m
            set evidence_count = greatest(1, m.evidence_count - cardinality(best.ids))
            where m.namespace = best.namespace and m.id = best.id;
        end if;
        return query select best.lesson_id, best.ids, cardinality(best.ids);
    end loop;
end
$$;
