-- Whether any memory of these namespaces holds one of these words. Asked only when their counts know none of them: the
-- words may be newer than the counts.

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
create or replace function heirloom.says_something(words text[], namespaces text[]) returns boolean
language plpgsql
stable
set search_path = pg_catalog, %1$I
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $body$
declare
    weights constant sparsevec := (select q.weights from heirloom.question_vector(words, namespaces) q);
begin
    return weights is not null and exists (
        select
        from unnest(namespaces) n(name)
        join heirloom.memory m on m.namespace = n.name
        where coalesce(m.word_vector, m.word_vector_long) <#> weights < 0
    );
end
$body$
$ddl$, pgvector);
end
$do$;
