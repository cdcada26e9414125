-- Lessons of one project and role that say nearly the same by their vectors: the best of each group (most recalled,
-- most trusted, most important, oldest) stays and the others are superseded and inactive, each linked to it with what
-- it was before, so that undo_consolidate can bring it back. Everyone in a group is near its best, not near a chain of
-- neighbours. A dry run, the default, only says which groups there are.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    execute format($ddl$
create or replace function pgmnemo.consolidate(
    p_similarity real default 0.92,
    p_dry_run boolean default true,
    p_role text default null,
    p_limit integer default 100
) returns table (
    canonical_id bigint,
    member_ids bigint[],
    size integer,
    mean_similarity real
)
language plpgsql
set search_path = pg_catalog, %1$I
as $body$
#variable_conflict use_column
declare
    best record;
    member record;
    taken bigint[] := '{}';
    ids bigint[];
    similarity double precision;
    groups integer := 0;
begin
    if p_similarity is null or not p_similarity between 0 and 1 then
        raise exception 'p_similarity is %%: it takes 0 to 1', p_similarity using errcode = 'invalid_parameter_value';
    end if;
    for best in
        select m.namespace, m.id, m.lesson_id, m.role, m.embedding
        from heirloom.memory m
        where m.kind = 'lesson'
            and m.is_active
            and m.t_valid_to = 'infinity'
            and m.verified_at is not null
            and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
            and (m.expires_at is null or m.expires_at > now())
            and m.embedding is not null
            and (p_role is null or m.role = p_role)
        order by m.recall_count desc, m.confidence desc nulls last, m.importance desc, m.created_at, m.lesson_id
    loop
        exit when groups >= p_limit;
        continue when best.lesson_id = any (taken);
        select array_agg(n.lesson_id order by n.lesson_id), avg(n.cosine) into ids, similarity
        from (
            select m.lesson_id, 1 - (m.embedding <=> best.embedding) as cosine
            from heirloom.memory m
            where m.namespace = best.namespace
                and m.role = best.role
                and m.kind = 'lesson'
                and m.id <> best.id
                and m.is_active
                and m.t_valid_to = 'infinity'
                and m.verified_at is not null
                and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
                and (m.expires_at is null or m.expires_at > now())
                and m.embedding is not null
                and m.lesson_id <> all (taken)
        ) n
        where n.cosine >= p_similarity;
        continue when ids is null;
        taken := taken || best.lesson_id || ids;
        groups := groups + 1;

        if not p_dry_run then
            for member in
                select m.namespace, m.id, m.lesson_id, m.state
                from heirloom.memory m
                where m.namespace = best.namespace and m.lesson_id = any (ids)
                order by m.lesson_id
                for update
            loop
                perform pgmnemo.add_edge(
                    member.lesson_id, best.lesson_id, 'SUPERSEDED_BY', similarity,
                    jsonb_build_object('consolidation', true, 'prior_state', member.state)
                );
                perform set_config('heirloom.noted', 'on', true);
                update heirloom.memory m
                set state = 'superseded', is_active = false, state_changed_at = now()
                where m.namespace = member.namespace and m.id = member.id;
                perform set_config('heirloom.noted', 'off', true);
                perform heirloom.note_transition(
                    member.namespace, member.id, member.state, 'superseded', null,
                    'consolidated into lesson ' || best.lesson_id
                );
            end loop;
            update heirloom.memory m
            set evidence_count = m.evidence_count + cardinality(ids)
            where m.namespace = best.namespace and m.id = best.id;
        end if;
        return query select best.lesson_id, best.lesson_id || ids, cardinality(ids) + 1, similarity::real;
    end loop;
end
$body$
$ddl$, pgvector);
end
$do$;
