//! The row: one memory as the store keeps it (design: `heirloom.memory`).
//!
//! Absent here: what the database fills in by itself (`lesson_id`, generated columns) and the outcome counters that
//! only reinforcement writes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A moment as PostgreSQL keeps it: microseconds, or one of the two infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// `-infinity`
    NegativeInfinity,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Micros(i64),
    /// `infinity`
    Infinity,
}

impl Moment {
    /// The moment of a timestamp; anything below a microsecond is cut off.
    pub fn from_timestamp(timestamp: Timestamp) -> Self {
        Self::Micros(timestamp.as_microsecond())
    }
}

/// One memory, every column a writer may set. `None` is SQL NULL: nothing is invented for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// v7 for live writes, v5 for migrated rows, or the caller's own.
    pub id: Uuid,
    /// `workspace:…`, `team:…`, `org:…`, `project:…`, `custom:…`; grammar `^[a-z]+:[A-Za-z0-9_:.-]+$`, ≤ 256 bytes.
    pub namespace: String,
    /// The tenant of the SQL door.
    pub project_id: Option<i32>,
    /// `lesson`, `fact`, `summary` or `checkpoint`.
    pub kind: String,
    /// `agent`, `runtime`, `user` or `imported`.
    pub source: String,
    /// Required of a lesson.
    pub role: Option<String>,
    /// Required of a lesson.
    pub topic: Option<String>,
    /// Never empty after trimming, never with NUL.
    pub content: String,
    /// 1–5; the store's default is 3.
    pub importance: i16,
    /// One of the nine states; the store's default is `draft`.
    pub state: String,
    /// When the state was entered; the store's default is the row's creation.
    pub state_changed_at: Option<Moment>,
    /// Provenance.
    pub commit_sha: Option<String>,
    /// Provenance.
    pub artifact_hash: Option<String>,
    /// When it was verified; NULL makes a lesson a ghost.
    pub verified_at: Option<Moment>,
    /// Where it was learned, as text: ids overflow integers.
    pub source_run_id: Option<String>,
    /// Where it was learned, as text.
    pub source_task_id: Option<String>,
    /// Kept at the top of listings.
    pub pin: bool,
    /// Opaque to the store.
    pub propagation: Option<serde_json::Value>,
    /// Opaque to the store; JSON null and `{}` read like NULL.
    pub metadata: Option<serde_json::Value>,
    /// Width at most the store's dimension; narrower is zero-padded.
    pub embedding: Option<Vec<f32>>,
    /// Name of the model that made the embedding.
    pub embedding_model: Option<String>,
    /// Never recalled from this instant on.
    pub expires_at: Option<Moment>,
    /// Valid from; NULL reads as `created_at`.
    pub valid_from: Option<Moment>,
    /// Valid until; NULL reads as for ever.
    pub valid_to: Option<Moment>,
    /// Event time. NULL when the source of a migrated row had none: no time is invented.
    pub created_at: Option<Moment>,
    /// Time of the last change of what it says.
    pub updated_at: Option<Moment>,
    /// 0–1.
    pub confidence: Option<f32>,
    /// Inactive rows are never recalled.
    pub is_active: bool,
    /// Free classification of the SQL door.
    pub content_type: Option<String>,
    /// `note`, `skill_md`, `template`, `script`, `reference`, `config` or `spec`.
    pub item_kind: String,
    /// The run graph it came from.
    pub source_dag_id: Option<String>,
}

impl Memory {
    /// A memory with the store's defaults and nothing said.
    pub fn new(id: Uuid, namespace: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            id,
            namespace: namespace.into(),
            project_id: None,
            kind: "lesson".to_owned(),
            source: "agent".to_owned(),
            role: None,
            topic: None,
            content: content.into(),
            importance: 3,
            state: "draft".to_owned(),
            state_changed_at: None,
            commit_sha: None,
            artifact_hash: None,
            verified_at: None,
            source_run_id: None,
            source_task_id: None,
            pin: false,
            propagation: None,
            metadata: None,
            embedding: None,
            embedding_model: None,
            expires_at: None,
            valid_from: None,
            valid_to: None,
            created_at: None,
            updated_at: None,
            confidence: None,
            is_active: true,
            content_type: None,
            item_kind: "note".to_owned(),
            source_dag_id: None,
        }
    }
}

/// The nine states of a memory.
pub const STATES: [&str; 9] =
    ["draft", "candidate", "validated", "canonical", "deprecated", "superseded", "archived", "rejected", "conflicted"];

/// The kinds of memory.
pub const KINDS: [&str; 4] = ["lesson", "fact", "summary", "checkpoint"];

/// Who may have written a memory.
pub const SOURCES: [&str; 4] = ["agent", "runtime", "user", "imported"];

/// What a memory may be as an item of the SQL door.
pub const ITEM_KINDS: [&str; 7] = ["note", "skill_md", "template", "script", "reference", "config", "spec"];

/// What a row of `heirloom.origin` holds: where a migrated memory came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The run that brought it.
    pub run_id: Uuid,
    /// The source system and table, as the plan names them.
    pub source: String,
    /// The source key in canonical form: a JSON array of strings, one a key column.
    pub source_key: String,
    /// The source row verbatim: one JSON object, column to text form (see `heirloom-migrate`'s `source::verbatim`).
    /// Columns carried unchanged into the memory itself are absent.
    pub source_row: String,
    /// 16 bytes: digest of the verbatim source row.
    pub source_digest: [u8; 16],
    /// 16 bytes: digest of the memory as it was written.
    pub written_digest: [u8; 16],
}
