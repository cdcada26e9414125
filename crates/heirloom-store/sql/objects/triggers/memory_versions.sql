-- After lessons came in by the SQL door: one warning for all ghosts of the statement, earlier versions closed, the words
-- of their namespaces counted where enough came, and a line of activity for each, as from every other door; a statement
-- of more than a thousand is a load, with a line a namespace.
--
-- A new lesson closes an open one of the same namespace, role, topic and (not empty) commit that an earlier statement
-- wrote, from the moment the new one is valid. Never a sibling of its own statement; never one made later; never one
-- with another artifact; and what recall would not show (a ghost, inactive, closed, expired, retired) never closes
-- what recall shows. Whoever inserts is told how many.
--
-- heirloom.ingesting says that pgmnemo.ingest inserts, and which lesson its client's statement ingested first: what this
-- transaction wrote since is a sibling too, and what there is to say is said once (heirloom.ingest_says).
--
-- Two sessions with the same key wait for each other, so that one version stays open; a statement that brings many
-- keys does not, because it would take a lock for each.

create or replace function heirloom.memory_versions() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    came bigint;
    ghosts bigint;
    keys bigint;
    closed bigint;
    ingesting constant text := nullif(current_setting('heirloom.ingesting', true), '');
    first constant bigint := nullif(ingesting, 'first')::bigint;
begin
    select
        count(*),
        count(*) filter (where coalesce(btrim(i.commit_sha), '') = '' and coalesce(btrim(i.artifact_hash), '') = ''),
        count(distinct i.version_key) filter (where btrim(i.commit_sha) <> '')
    into came, ghosts, keys
    from inserted i
    where i.source_type is not null;

    if ghosts > 0 and heirloom.gate() = 'warn' and (ingesting is null or heirloom.ingest_says('ghost', first)) then
        raise warning 'pgmnemo provenance gate [warn]: INSERT accepted without commit_sha or artifact_hash: % of % row(s); they are ghosts (verified_at is NULL), which recall leaves out',
            ghosts, came;
    end if;
    perform heirloom.count_words_if_stale(n.namespace, n.came)
    from (
        select i.namespace, count(*)::integer as came
        from inserted i
        where i.source_type is not null
        group by i.namespace
        order by i.namespace
    ) n;
    if came > 1000 then
        insert into heirloom.activity (action, namespace, details)
        select 'load', i.namespace, jsonb_build_object('rows', count(*), 'written', count(*))
        from inserted i
        where i.source_type is not null
        group by i.namespace
        order by i.namespace;
    elsif came > 0 then
        insert into heirloom.activity (action, namespace, memory_id, content_sha256, details)
        select 'remember', i.namespace, i.id, sha256(convert_to(i.content, 'UTF8')),
            jsonb_build_object('lesson_id', i.lesson_id)
        from inserted i
        where i.source_type is not null
        order by i.lesson_id;
    end if;
    if keys = 0 then
        return null;
    end if;
    if keys <= 16 then
        perform pg_advisory_xact_lock(k.version_key)
        from (
            select distinct i.version_key
            from inserted i
            where i.source_type is not null and btrim(i.commit_sha) <> ''
            order by 1
        ) k;
    end if;

    update heirloom.memory m
    set valid_to = greatest(n.since, m.t_valid_from),
        t_valid_to = greatest(n.since, m.t_valid_from)
    from (
        select i.namespace, i.version_key, i.role, i.topic, i.commit_sha, i.artifact_hash,
            bool_or(i.verified_at is not null) as verified,
            max(i.t_valid_from) as since
        from inserted i
        where i.source_type is not null
            and btrim(i.commit_sha) <> ''
            and i.is_active
            and i.t_valid_to = 'infinity'
            and (i.expires_at is null or i.expires_at > now())
            and i.state not in ('deprecated', 'superseded', 'archived', 'rejected')
        group by 1, 2, 3, 4, 5, 6
    ) n
    where m.namespace = n.namespace
        and m.version_key = n.version_key
        and m.kind = 'lesson'
        and (m.role, m.topic, m.commit_sha) = (n.role, n.topic, n.commit_sha)
        and (m.artifact_hash is null or n.artifact_hash is null or m.artifact_hash = n.artifact_hash)
        and m.t_valid_to = 'infinity'
        and m.t_valid_from <= n.since
        and (n.verified or m.verified_at is null)
        -- NOT IN, because it is hashed: many siblings may share a key.
        and (m.namespace, m.id) not in (select s.namespace, s.id from inserted s)
        -- Of this transaction, or of one that began after it.
        and (first is null or m.lesson_id < first or age(m.xmin) > 0);
    get diagnostics closed = row_count;
    if closed > 0 and (ingesting is null or heirloom.ingest_says('closed', first)) then
        raise notice 'pgmnemo: bitemporal close+create fired -- closed % prior version(s) with the same project, role, topic and commit_sha',
            closed;
    end if;
    return null;
end
$$;

create or replace trigger memory_versions
after insert on heirloom.memory
referencing new table as inserted
for each statement
execute function heirloom.memory_versions();
