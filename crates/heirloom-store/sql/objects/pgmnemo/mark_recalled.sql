-- Notes that lessons were shown to an agent. Recall itself never writes; pgmnemo.mark_stale goes by this.

create or replace function pgmnemo.mark_recalled(p_lesson_ids bigint[]) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
    update heirloom.memory m
    set last_recalled_at = now(), recall_count = m.recall_count + 1
    where m.lesson_id = any (p_lesson_ids) and m.kind = 'lesson';
end
$$;
