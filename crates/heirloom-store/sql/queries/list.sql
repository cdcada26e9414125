-- A page of a scope: newest first, rows without a time last, then by id. An empty array of a filter means any.
-- $1 namespaces, $2 kinds, $3 states, $4 sources, $5 pinned, $6 expired, $7 after?, $8 its created_at, $9 its id,
-- $10 limit
select m.id, m.lesson_id, m.namespace, m.project_id, m.kind, m.source, m.role, m.topic, m.content, m.importance,
    m.state, m.state_changed_at, m.commit_sha, m.artifact_hash, m.verified_at, m.source_run_id, m.source_task_id,
    m.source_dag_id, m.pin, m.propagation, m.metadata, m.embedding is not null as has_embedding, m.embedding_model,
    m.expires_at, m.valid_from, m.valid_to, m.created_at, m.updated_at, m.confidence, m.is_active, m.content_type,
    m.item_kind, m.version_n,
    coalesce(m.expires_at <= statement_timestamp(), false) as expired
from heirloom.memory m
where m.namespace = any ($1)
    and (cardinality($2::text[]) = 0 or m.kind = any ($2))
    and (cardinality($3::text[]) = 0 or m.state = any ($3))
    and (cardinality($4::text[]) = 0 or m.source = any ($4))
    and ($5::boolean is null or m.pin = $5)
    and ($6::boolean is null or coalesce(m.expires_at <= statement_timestamp(), false) = $6)
    and case
        when not $7::boolean then true
        when $8::timestamptz is null then m.created_at is null and m.id > $9
        else m.created_at < $8 or m.created_at is null or (m.created_at = $8 and m.id > $9)
    end
order by m.created_at desc nulls last, m.id
limit $10
