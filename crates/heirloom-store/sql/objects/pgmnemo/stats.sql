-- The store at a glance, of what the caller may see: pgmnemo's 26 columns, then what it could not say. The settings
-- of graph expansion stand at their neutral values, because nothing is expanded; ef_search is pgvector's own.

create or replace function pgmnemo.stats() returns table (
    version text,
    lesson_count bigint,
    embedded_count bigint,
    embedding_coverage_pct double precision,
    tsv_coverage_pct double precision,
    mem_edge_count bigint,
    recency_weight double precision,
    ef_search integer,
    importance_weight double precision,
    hybrid_enabled boolean,
    recall_hybrid_available boolean,
    oldest_lesson_age_days integer,
    orphan_count bigint,
    ghost_count bigint,
    confidence_mean real,
    confidence_p10 real,
    confidence_p50 real,
    confidence_p90 real,
    confidence_below_threshold_count integer,
    graph_expand_weight real,
    graph_expand_depth integer,
    graph_expand_ann_k integer,
    graph_expand_per_node integer,
    graph_entity_expand_weight real,
    graph_entity_min_overlap integer,
    graph_entity_max_expansion integer,
    closed_count bigint,
    expired_count bigint,
    inactive_count bigint,
    recallable_count bigint
)
language plpgsql
stable
set search_path = pg_catalog
as $$
begin
    return query
    select
        pgmnemo.version(),
        count(*),
        count(m.embedding),
        coalesce(round(100.0 * count(m.embedding) / nullif(count(*), 0), 2), 0)::double precision,
        coalesce(round(100.0 * count(m.content_tsv) / nullif(count(*), 0), 2), 0)::double precision,
        (select count(*) from pgmnemo.mem_edge),
        heirloom.setting_number('pgmnemo.recency_weight', 0, 0, 20),
        coalesce(nullif(current_setting('hnsw.ef_search', true), ''), '40')::integer,
        0::double precision,
        not heirloom.setting_flag('pgmnemo.disable_hybrid', false),
        true,
        coalesce(extract(epoch from now() - min(m.created_at) filter (where isfinite(m.created_at))) / 86400, 0)::integer,
        0::bigint,
        count(*) filter (where m.verified_at is null and m.t_valid_to = 'infinity'),
        coalesce(avg(m.confidence) filter (where m.t_valid_to = 'infinity'), 0.5)::real,
        coalesce(percentile_cont(0.1) within group (order by m.confidence) filter (where m.t_valid_to = 'infinity'), 0.5)::real,
        coalesce(percentile_cont(0.5) within group (order by m.confidence) filter (where m.t_valid_to = 'infinity'), 0.5)::real,
        coalesce(percentile_cont(0.9) within group (order by m.confidence) filter (where m.t_valid_to = 'infinity'), 0.5)::real,
        count(*) filter (where m.confidence < 0.3 and m.t_valid_to = 'infinity')::integer,
        0::real, 1, 15, 10, 0::real, 1, 50,
        count(*) filter (where m.t_valid_to <> 'infinity'),
        count(*) filter (where m.expires_at <= now()),
        count(*) filter (where not m.is_active),
        count(*) filter (
            where m.is_active
                and m.verified_at is not null
                and m.state not in ('deprecated', 'superseded', 'archived', 'rejected')
                and (m.expires_at is null or m.expires_at > now())
                and m.t_valid_from <= now()
                and m.t_valid_to > now()
                and not exists (
                    select from heirloom.namespace n where n.name = m.namespace and n.expires_at <= statement_timestamp()
                )
        )
    from heirloom.memory m
    where m.kind = 'lesson';
end
$$;
