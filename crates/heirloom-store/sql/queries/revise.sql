-- The new text. An embedding of the old text would find the new one by what it no longer says: it goes unless a new one
-- is given. $1 namespace, $2 id, $3 content, $4 role, $5 topic, $6 metadata given?, $7 metadata, $8 embedding,
-- $9 its model, $10 does either replace what is there?, $11 commit_sha, $12 artifact_hash
update heirloom.memory m
set content = coalesce($3, m.content),
    role = coalesce($4, m.role),
    topic = coalesce($5, m.topic),
    metadata = case when $6 then $7 else m.metadata end,
    embedding = case when $10 then $8 else m.embedding end,
    embedding_model = case when $10 then $9 else m.embedding_model end,
    commit_sha = coalesce($11, m.commit_sha),
    artifact_hash = coalesce($12, m.artifact_hash),
    verified_at = case when coalesce($11::text, $12) is not null then now() else m.verified_at end,
    version_n = m.version_n + 1,
    patch_count = m.patch_count + 1,
    updated_at = now()
where m.namespace = $1 and m.id = $2
returning m.version_n
