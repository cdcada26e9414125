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
    execute format($ddl$
create or replace function heirloom.recall_ghosts(
    query_text text,
    query_embedding %1$I.vector,
    namespaces text[],
    kinds text[] default null,
    query_model text default null,
    at timestamptz default statement_timestamp()
) returns bigint
language plpgsql
stable
set search_path = pg_catalog, %1$I
set jit = off
set plan_cache_mode = force_generic_plan
as $body$
declare
    terms record;
begin
    if recall_ghosts.kinds is not null and 'lesson' <> all (recall_ghosts.kinds) then
        return 0;
    end if;
    select * into terms from heirloom.recall_terms(recall_ghosts.query_text);

    return (
        select count(*)
        from heirloom.memory m
        where m.namespace = any (recall_ghosts.namespaces)
            and m.kind = 'lesson'
            and m.verified_at is null
            and m.is_active
            and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
            and (m.expires_at is null or m.expires_at > greatest(recall_ghosts.at, statement_timestamp()))
            and coalesce(m.valid_from, m.created_at, '-infinity') <= recall_ghosts.at
            and (m.valid_to is null or m.valid_to > recall_ghosts.at)
            and case
                when cardinality(terms.lexemes) + cardinality(terms.grams) > 0 then
                    coalesce(m.content_tsv @@ terms.any_lexeme, false)
                    or exists (
                        select
                        from unnest(terms.grams) g(gram)
                        where strpos(m.content, g.gram) > 0 or strpos(coalesce(m.topic, ''), g.gram) > 0
                    )
                else
                    (recall_ghosts.query_model is null or m.embedding_model is null
                        or m.embedding_model = recall_ghosts.query_model)
                    and nullif(1 - (m.embedding <=> recall_ghosts.query_embedding), 'NaN') > 0
            end
    );
end
$body$
$ddl$, pgvector);
end
$do$;
