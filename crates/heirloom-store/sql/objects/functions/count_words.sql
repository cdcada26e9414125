-- Counts again in how many memories of a namespace each lexeme stands, with the caller's rights. Returns how many
-- memories it counted. Two at once count one after the other; what did not change is not written.

create or replace function heirloom.count_words(in_namespace text) returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
    counted integer;
begin
    perform pg_advisory_xact_lock(hashtext('heirloom.count_words'), hashtext(in_namespace));
    select count(*) into counted from heirloom.memory m where m.namespace = in_namespace;
    with fresh as materialized (
        select s.word as lexeme, s.ndoc as df
        from ts_stat(format('select m.content_tsv from heirloom.memory m where m.namespace = %L', in_namespace)) s
    ),
    gone as (
        delete from heirloom.lexeme x
        where x.namespace = in_namespace and not exists (select from fresh f where f.lexeme = x.lexeme)
    )
    insert into heirloom.lexeme as x (namespace, lexeme, df)
    select in_namespace, f.lexeme, f.df
    from fresh f
    on conflict (namespace, lexeme) do update set df = excluded.df where x.df <> excluded.df;

    insert into heirloom.frequency as f (namespace, documents)
    values (in_namespace, counted)
    on conflict (namespace) do update set documents = excluded.documents, counted_at = now();
    return counted;
end
$$;
