//! A memory as it is shown: every column a reader may see, flat. Embeddings are told of, not shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::Result;
use crate::memory::Moment;

/// One memory, as stored. Absent fields are SQL NULL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Its id.
    pub id: Uuid,
    /// The integer handle of the SQL door.
    pub lesson_id: i64,
    /// Where it lives.
    pub namespace: String,
    /// The tenant of the SQL door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<i32>,
    /// `lesson`, `fact`, `summary` or `checkpoint`.
    pub kind: String,
    /// `agent`, `runtime`, `user` or `imported`.
    pub source: String,
    /// The role that learned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What it says, byte for byte.
    pub content: String,
    /// 1 (least) to 5 (most).
    pub importance: i16,
    /// One of the nine states.
    pub state: String,
    /// When it entered the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_changed_at: Option<Moment>,
    /// Provenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_sha: Option<String>,
    /// Provenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_hash: Option<String>,
    /// When it was verified; a lesson without is a ghost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Moment>,
    /// The run it was learned in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_run_id: Option<String>,
    /// The task it was learned in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_task_id: Option<String>,
    /// The run graph it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_dag_id: Option<String>,
    /// Whether it is pinned.
    pub pin: bool,
    /// How it may spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagation: Option<Value>,
    /// Anything else, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Whether it has an embedding.
    pub has_embedding: bool,
    /// The model that made the embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_model: Option<String>,
    /// Never recalled from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Whether that instant has come.
    pub expired: bool,
    /// Valid from; absent reads as `created_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// Valid until; absent reads as for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Moment>,
    /// When it was made; absent when the source of a migrated row did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Moment>,
    /// When it last changed what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Moment>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// Whether it may be recalled at all.
    pub is_active: bool,
    /// A classification of the writer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `note`, `skill_md`, `template`, `script`, `reference`, `config` or `spec`.
    pub item_kind: String,
    /// 1, and one more for each revision.
    pub version: i32,
}

impl Record {
    /// Reads a row of `show.sql` or `list.sql`.
    pub(crate) fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            lesson_id: row.try_get("lesson_id")?,
            namespace: row.try_get("namespace")?,
            project_id: row.try_get("project_id")?,
            kind: row.try_get("kind")?,
            source: row.try_get("source")?,
            role: row.try_get("role")?,
            topic: row.try_get("topic")?,
            content: row.try_get("content")?,
            importance: row.try_get("importance")?,
            state: row.try_get("state")?,
            state_changed_at: row.try_get("state_changed_at")?,
            commit_sha: row.try_get("commit_sha")?,
            artifact_hash: row.try_get("artifact_hash")?,
            verified_at: row.try_get("verified_at")?,
            source_run_id: row.try_get("source_run_id")?,
            source_task_id: row.try_get("source_task_id")?,
            source_dag_id: row.try_get("source_dag_id")?,
            pin: row.try_get("pin")?,
            propagation: row.try_get("propagation")?,
            metadata: row.try_get("metadata")?,
            has_embedding: row.try_get("has_embedding")?,
            embedding_model: row.try_get("embedding_model")?,
            expires_at: row.try_get("expires_at")?,
            expired: row.try_get("expired")?,
            valid_from: row.try_get("valid_from")?,
            valid_to: row.try_get("valid_to")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            confidence: row.try_get("confidence")?,
            is_active: row.try_get("is_active")?,
            content_type: row.try_get("content_type")?,
            item_kind: row.try_get("item_kind")?,
            version: row.try_get("version_n")?,
        })
    }
}
