-- How many lessons heirloom.recall would have shown for the same question had somebody verified them. With words, those
-- that hold one of them; with a vector alone, those that point its way.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
begin
    execute format('drop function if exists heirloom.recall_ghosts(text, %I.vector, text[], text[], text, timestamptz)', pgvector);
    execute format($ddl$
create or replace function heirloom.recall_ghosts(
    query_text text,
    query_embedding %1$I.vector,
    namespaces text[],
    kinds text[] default null,
    query_model text default null,
    at timestamptz default statement_timestamp(),
    role text default null,
    exclude_dag text default null,
    content_types text[] default null
) returns bigint
language plpgsql
stable
set search_path = pg_catalog, %1$I
set jit = off
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $body$
declare
    question record;
    weights sparsevec;
begin
    if namespaces is null then
        namespaces := heirloom.namespaces_in_sight();
    end if;
    namespaces := heirloom.open_namespaces(namespaces, at);
    -- Most stores have none, and then nothing else needs to be asked.
    if not exists (
        select
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where m.kind = 'lesson' and m.verified_at is null
    ) then
        return 0;
    end if;
    select * into question from heirloom.recall_terms(query_text);
    select q.weights into weights from heirloom.question_vector(question.lexemes, namespaces) q;
    return (
        select count(*)
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where m.kind = 'lesson'
            and m.verified_at is null
            and heirloom.is_recallable(m, at, true, kinds, recall_ghosts.role, exclude_dag, content_types, null)
            and (question.refused is null or not m.content_tsv @@ question.refused)
            and case
                when weights is not null then coalesce(m.word_vector, m.word_vector_long) <#> weights < 0
                else (query_model is null or m.embedding_model is null or m.embedding_model = query_model)
                    and nullif(1 - (m.embedding <=> query_embedding), 'NaN') > 0
            end
    );
end
$body$
$ddl$, pgvector);
end
$do$;
