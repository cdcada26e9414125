-- Fills what recall ranks by whenever a text or an embedding is written, by whichever door, and puts it right again
-- when somebody writes it by hand. Only this row is touched; `sign_bits` waits until the model has a centre.
--
-- The bulk loader (heirloom.redacted = 'on', as in all of its writes) brings the words and the signs of most rows with it, the
-- same as are made here, and such a row does not come here when it is inserted. What it leaves to this trigger comes without.

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
create or replace function heirloom.memory_ranking() returns trigger
language plpgsql
set search_path = pg_catalog, %1$I
as $body$
declare
    words sparsevec;
begin
    if tg_op = 'UPDATE'
        and new.content_tsv is distinct from old.content_tsv
        and new.content_tsv is not null
        and current_setting('heirloom.redacted', true) = 'on'
    then
        null; -- Brought.
    elsif tg_op = 'INSERT'
        or new.content_tsv is null
        or (new.topic, new.role, new.content, new.content_tsv, new.word_vector, new.word_vector_long)
            is distinct from (old.topic, old.role, old.content, old.content_tsv, old.word_vector, old.word_vector_long)
    then
        new.content_tsv := heirloom.search_vector(new.topic, new.role, new.content);
        words := heirloom.word_vector(new.content_tsv);
        if length(new.content_tsv) <= 480 then
            new.word_vector := words;
            new.word_vector_long := null;
        else
            new.word_vector := null;
            new.word_vector_long := words;
        end if;
    end if;
    new.sign_bits := null;
    if new.embedding is not null then
        -- A load brings what its source has; everybody else is told.
        if vector_norm(new.embedding) = 0
            and (
                new.source_type is not null
                or (
                    tg_op = 'UPDATE'
                    and new.embedding is distinct from old.embedding
                    and current_setting('heirloom.times_given', true) is distinct from 'on'
                )
            )
        then
            raise exception 'embedding is a zero vector, which points nowhere: give the vector of a model, or NULL'
                using errcode = 'data_exception';
        end if;
        new.sign_bits := (
            select binary_quantize(new.embedding - m.centre)
            from heirloom.model m
            where m.name = coalesce(new.embedding_model, '') and vector_norm(new.embedding) > 0
        );
    end if;
    return new;
end
$body$
$ddl$, pgvector);
end
$do$;

create or replace trigger memory_ranking
before insert on heirloom.memory
for each row
when (new.content_tsv is null or current_setting('heirloom.redacted', true) is distinct from 'on')
execute function heirloom.memory_ranking();

create or replace trigger memory_ranking_update
before update of topic, role, content, content_tsv, word_vector, word_vector_long, embedding, embedding_model, sign_bits
on heirloom.memory
for each row
execute function heirloom.memory_ranking();
