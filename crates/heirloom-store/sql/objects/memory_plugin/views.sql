-- memory_namespaces and memory_records as the platform's plugin kept them. security_invoker: row-level security judges
-- the caller. What is a column of the table may be updated, and rows deleted; kind and source are
-- read only. A lesson, which the platform does not know, is shown as a fact; an import as a runtime's.

do $do$
begin
    if coalesce(obj_description(to_regnamespace('memory_plugin'), 'pg_namespace'), '')
        not like 'The memory plugin of Heirloom%'
    then
        return;
    end if;
    create or replace view memory_plugin.memory_namespaces with (security_invoker = true) as
    select n.name,
        coalesce(n.given_kind, case when n.kind in ('workspace', 'team', 'org') then n.kind else 'custom' end) as kind,
        n.expires_at, n.metadata, n.created_at
    from heirloom.namespace n;

    create or replace view memory_plugin.memory_records with (security_invoker = true) as
    select m.id, m.namespace, m.content,
        case m.kind when 'lesson' then 'fact' else m.kind end as kind,
        case m.source when 'imported' then 'runtime' else m.source end as source,
        m.expires_at, m.propagation, m.pin, m.embedding, m.content_tsv, m.created_at
    from heirloom.memory m;
    comment on view memory_plugin.memory_records is 'The memories, as the platform''s plugin kept them.';

    grant usage on schema memory_plugin to heirloom_serve, heirloom_service, heirloom_audit;
    grant select, update, delete on memory_plugin.memory_namespaces, memory_plugin.memory_records
        to heirloom_serve, heirloom_service;
    grant select on memory_plugin.memory_namespaces, memory_plugin.memory_records to heirloom_audit;
end
$do$;
