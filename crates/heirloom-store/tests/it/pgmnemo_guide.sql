-- The SQL of pgmnemo's guide for those who come with a table of their own, as it stands there; its fragments stand in
-- the statement they are fragments of.

SELECT pgmnemo.ingest(
p_role := 'developer',
p_project_id := 42,
p_topic := 'security',
p_lesson_text := 'Rotate JWT secrets within 24 h of any key-compromise indicator.',
p_importance := 4,
p_commit_sha := 'a3f9b12'
);

SET pgmnemo.tenant_id = ''; -- empty = bypass (service-account mode)
SET pgmnemo.gate_strict = 'warn'; -- or 'off' during dev

INSERT INTO pgmnemo.agent_lesson (
    role, topic, lesson_text, project_id, importance, metadata, commit_sha, state, created_at, source_run_id,
    source_task_id, verified_at, expires_at
)
SELECT
    src.agent_role, src.layer, src.content, src.project, src.priority, src.tags, src.git_sha, src.state, src.created_at,
    src.run_id, src.task_id,
CASE
WHEN src.verified = TRUE THEN COALESCE(src.verified_at, src.created_at)
WHEN src.verification_status = 'verified' THEN COALESCE(src.verified_at, src.created_at)
ELSE NULL -- ghost lesson; excluded from recall by default
END,
CASE
WHEN src.retention IS NOT NULL
THEN src.created_at + src.retention::INTERVAL
ELSE NULL -- never expires
END
FROM mem.mem_item src WHERE src.ttl_form = 1;

INSERT INTO pgmnemo.agent_lesson (role, topic, lesson_text, project_id, commit_sha, state, created_at, verified_at, expires_at)
SELECT src.agent_role, src.layer, src.content, src.project, src.git_sha, src.state, src.created_at, src.created_at,
src.retain_until -- direct copy
FROM mem.mem_item src WHERE src.ttl_form = 2;

INSERT INTO pgmnemo.agent_lesson (role, topic, lesson_text, project_id, commit_sha, state, created_at, verified_at, expires_at)
SELECT src.agent_role, src.layer, src.content, src.project, src.git_sha, src.state, src.created_at, src.created_at,
src.created_at + (src.ttl_seconds || ' seconds')::INTERVAL
FROM mem.mem_item src WHERE src.ttl_form = 3;

SET pgmnemo.gate_strict = 'enforce';

SELECT pgmnemo.evict_expired_lessons(); -- returns count of deleted rows

SET pgmnemo.tenant_id = '42'; -- restrict session to project_id = 42

-- Text-only recall (no embedding required)
SELECT lesson_id, topic, lesson_text, score
FROM pgmnemo.recall_lessons(
NULL::vector(1024), -- no embedding
5, -- top-5
NULL, -- all roles
42, -- project_id
'JWT rotation' -- full-text query
);

SELECT lesson_id, score, topic, lesson_text
FROM pgmnemo.recall_lessons(
'<your_1024_dim_vector>'::vector(1024),
10,
'developer',
42,
'key rotation'
);
