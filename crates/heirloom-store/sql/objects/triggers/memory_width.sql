-- A vector of a named model is as wide as the others of that model in its namespace. The column's type says how much
-- room there is, not how wide a vector is: what is narrower is padded with zeros. So a vector fits that is zero beyond the
-- width of its model. Whoever says a width has said it by now (heirloom.model_width); a writer of SQL does not, and where
-- the model is new a vector that goes to the end of its room is as wide as the store.
--
-- A lesson that moves takes the width along. The store's own writers, and its loader, have looked by themselves.

do $do$
declare
    pgvector constant name := (
        select n.nspname
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
    );
    dimension constant integer := (select m.dimension from heirloom.meta m);
begin
    execute format($ddl$
create or replace function heirloom.memory_width() returns trigger
language plpgsql
set search_path = pg_catalog, %1$I
as $body$
declare
    room constant integer := %2$s;
    known integer;
    kept integer;
begin
    select w.dimension into kept
    from heirloom.model_width w
    where w.namespace = new.namespace and w.model = new.embedding_model
    for share;
    if tg_op = 'UPDATE' and new.namespace <> old.namespace then
        select w.dimension into known
        from heirloom.model_width w
        where w.namespace = old.namespace and w.model = new.embedding_model
            and new.embedding_model = old.embedding_model
            and new.embedding is not distinct from old.embedding;
    end if;
    if kept is null then
        if known is null and vector_norm(subvector(new.embedding, room, 1)) > 0 then
            known := room;
        end if;
        if known is not null then
            kept := heirloom.model_width(new.namespace, new.embedding_model, known);
        end if;
    end if;
    if kept < room and vector_norm(subvector(new.embedding, kept + 1, room - kept)) > 0 then
        select max(x.at) into known
        from unnest(new.embedding::real[]) with ordinality x(value, at)
        where x.value <> 0;
        perform heirloom.refuse_width('embedding', known, new.embedding_model, new.namespace, kept);
    elsif known < kept then
        perform heirloom.refuse_width('embedding', known, new.embedding_model, new.namespace, kept);
    end if;
    return new;
end
$body$
$ddl$, pgvector, dimension);
end
$do$;

-- After memory_namespace, which says where a lesson lives.
create or replace trigger memory_width
before insert or update of namespace, project_id, embedding, embedding_model on heirloom.memory
for each row
when (
    new.embedding is not null
    and new.embedding_model <> ''
    and current_setting('heirloom.redacted', true) is distinct from 'on'
)
execute function heirloom.memory_width();
