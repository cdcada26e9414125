//! The canonical bytes of a memory: what "the same row" means.
//!
//! One frame a field, in the order of [`FIELDS`]: tag (1 byte, the field's number), presence (0 absent, 1 present),
//! then for present values the length (u32, big-endian) and the bytes. Rules a type, after moving-rows 3.4:
//!
//! - text: its UTF-8 bytes, never normalised
//! - moment: 8 bytes microseconds big-endian; infinities are one byte `-` or `+`
//! - smallint, integer: 8 bytes big-endian; boolean: one byte
//! - real: IEEE bits big-endian, −0 folded to 0
//! - vector: its bits as above, padded with zeros to the store's dimension
//! - jsonb: keys sorted by bytes, last duplicate wins, numbers as exact decimals without trailing zeros or exponent,
//!   strings raw with their length; JSON null at the top is a value, apart from SQL NULL
//!
//! `verify` reads the target with code of its own (`verify::target`) that produces the same bytes from what PostgreSQL
//! sends; it does not import this module's encoder of values, only [`FIELDS`].

/// The compared fields of a memory, in frame order. The number of a field is its index.
pub const FIELDS: [&str; 30] = [
    "namespace",
    "project_id",
    "kind",
    "source",
    "role",
    "topic",
    "content",
    "importance",
    "state",
    "state_changed_at",
    "commit_sha",
    "artifact_hash",
    "verified_at",
    "source_run_id",
    "source_task_id",
    "pin",
    "propagation",
    "metadata",
    "embedding",
    "embedding_model",
    "expires_at",
    "valid_from",
    "valid_to",
    "created_at",
    "updated_at",
    "confidence",
    "is_active",
    "content_type",
    "item_kind",
    "source_dag_id",
];
