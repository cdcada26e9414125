//! What tables of memories call their columns: the migration guide's fifteen fields with all their names, and those that
//! such tables are often given besides.

/// A memory field and the column names that may feed it, likeliest first.
pub type Synonyms = (&'static str, &'static [&'static str]);

/// Every field that detection maps. The guide's own names come first.
pub const SYNONYMS: &[Synonyms] = &[
    (
        "content",
        &[
            "content",
            "memory_text",
            "lesson_text",
            "body",
            "memory",
            "note",
            "text",
            "fact",
            "lesson",
            "note_text",
            "memory_content",
            "statement",
            "observation",
            "summary",
            "message",
            "value",
            "data",
            "document",
        ],
    ),
    (
        "topic",
        &["layer", "type", "topic", "category", "memory_type", "note_type", "title", "subject", "kind", "namespace"],
    ),
    ("metadata", &["tags", "properties", "metadata", "meta", "attributes", "attrs", "labels", "extra", "details"]),
    ("source_run_id", &["run_id", "source_run_id", "run", "session_id", "conversation_id", "thread_id"]),
    ("source_task_id", &["task_id", "source_task_id", "task"]),
    ("source_dag_id", &["dag_id", "source_dag_id"]),
    (
        "expires_at",
        &[
            "retain_until",
            "expires_at",
            "expire_at",
            "valid_until",
            "expiry",
            "expires",
            "expires_on",
            "ttl",
            "ttl_seconds",
            "ttl_secs",
            "expires_after",
            "expires_in",
            "retention",
            "max_age",
        ],
    ),
    ("verified_at", &["verified", "is_verified", "verification_status"]),
    ("state", &["status", "lifecycle_state", "state", "lifecycle"]),
    ("role", &["agent_role", "agent", "role", "agent_name", "agent_id", "author", "actor"]),
    ("project_id", &["project_id", "project"]),
    ("importance", &["importance", "priority", "salience"]),
    ("commit_sha", &["commit", "git_sha", "commit_sha", "commit_hash", "git_commit", "sha"]),
    ("artifact_hash", &["artifact_id", "hash", "artifact_hash", "sha256"]),
    ("embedding", &["embedding", "embeddings", "vector", "embedding_vector", "vec"]),
    (
        "created_at",
        &[
            "created_at",
            "created",
            "created_on",
            "create_time",
            "created_time",
            "creation_date",
            "date_created",
            "inserted_at",
            "recorded_at",
            "added_at",
            "timestamp",
            "ts",
            "time",
            "date",
        ],
    ),
    (
        "updated_at",
        &[
            "updated_at",
            "updated",
            "updated_on",
            "update_time",
            "modified_at",
            "modified",
            "last_modified",
            "changed_at",
        ],
    ),
    ("confidence", &["confidence"]),
    ("pin", &["pinned", "is_pinned", "pin"]),
    ("is_active", &["is_active", "active"]),
];

/// Times of verification, which count where a flag says yes.
pub const VERIFIED_TIMES: &[&str] = &["verified_at", "verified_on", "verification_time"];

/// Columns that say who may see a row, and the kind of namespace they make, narrowest owner that is shared first.
pub const OWNERS: &[(&str, &str)] = &[
    ("workspace_id", "workspace"),
    ("workspace", "workspace"),
    ("tenant_id", "tenant"),
    ("tenant", "tenant"),
    ("project_id", "project"),
    ("project", "project"),
    ("team_id", "team"),
    ("team", "team"),
    ("org_id", "org"),
    ("organization_id", "org"),
    ("organisation_id", "org"),
    ("org", "org"),
    ("user_id", "user"),
    ("user", "user"),
    ("username", "user"),
    ("owner_id", "user"),
    ("owner", "user"),
    ("scope", "custom"),
];

/// The guide's table of states. `active` and `approved` may be candidate or validated there; promotion is a human's.
pub const STATES: &[(&str, &str)] = &[
    ("pending", "draft"),
    ("new", "draft"),
    ("active", "candidate"),
    ("approved", "candidate"),
    ("confirmed", "validated"),
    ("verified", "validated"),
    ("master", "canonical"),
    ("golden", "canonical"),
    ("outdated", "deprecated"),
    ("stale", "deprecated"),
    ("replaced", "superseded"),
    ("superseded", "superseded"),
    ("archived", "archived"),
    ("deleted", "archived"),
    ("invalid", "rejected"),
    ("wrong", "rejected"),
    ("conflict", "conflicted"),
];

/// Words in a table's name that speak for memories.
pub const TABLE_WORDS: &[&str] = &[
    "memory",
    "memories",
    "mem",
    "lesson",
    "lessons",
    "note",
    "notes",
    "fact",
    "facts",
    "knowledge",
    "observation",
    "observations",
    "recollection",
    "recollections",
    "learnings",
    "insights",
];

/// A column's name as it is compared: `createdAt`, `Created At` and `created_at` are one.
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len() + 4);
    let mut low = false;
    for letter in name.chars() {
        if letter.is_alphanumeric() {
            if letter.is_uppercase() && low {
                folded.push('_');
            }
            low = letter.is_lowercase() || letter.is_numeric();
            folded.extend(letter.to_lowercase());
        } else {
            low = false;
            if !folded.is_empty() && !folded.ends_with('_') {
                folded.push('_');
            }
        }
    }
    folded.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second seed's table of fields, row by row.
    #[test]
    fn the_guide_s_fifteen_fields_are_known_by_all_their_names() {
        let guide: [(&str, &[&str]); 15] = [
            ("content", &["content", "memory_text"]),
            ("topic", &["layer", "type"]),
            ("metadata", &["tags", "properties"]),
            ("source_run_id", &["run_id"]),
            ("source_task_id", &["task_id"]),
            ("expires_at", &["ttl", "expires_after", "retain_until", "retention", "ttl_seconds"]),
            ("verified_at", &["verified", "verification_status"]),
            ("state", &["status", "lifecycle_state"]),
            ("role", &["agent_role", "agent"]),
            ("project_id", &["project", "project_id"]),
            ("importance", &["importance", "priority"]),
            ("commit_sha", &["commit", "git_sha"]),
            ("artifact_hash", &["artifact_id", "hash"]),
            ("embedding", &["embedding"]),
            ("created_at", &["created_at"]),
        ];
        for (field, names) in guide {
            let (_, known) = SYNONYMS.iter().find(|(known, _)| *known == field).unwrap();
            for name in names {
                assert!(known.contains(name), "{field} is also called {name}");
            }
        }
    }

    #[test]
    fn names_are_compared_without_their_dress() {
        for name in ["createdAt", "Created At", "created_at", "CREATED_AT", "created-at"] {
            assert_eq!(fold(name), "created_at", "{name}");
        }
        assert_eq!(fold("gitSHA"), "git_sha");
    }
}
