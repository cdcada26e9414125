//! The memory fields a file may map, and what each takes.

use heirloom_store::{ITEM_KINDS, KINDS, SOURCES, STATES};

/// Longest run id, in bytes: with the longest namespace, a moment and an id it still fits an entry of `memory_session`, which
/// takes 2,704.
const MAX_RUN_BYTES: usize = 2_000;

/// Longest text or JSON of one field, in bytes. PostgreSQL needs eight bytes a character to look for white space at the
/// ends of a text, and gives no function more than a gigabyte; half of what that allows.
pub(super) const MAX_TEXT_BYTES: usize = 64 << 20;

/// Longest source row kept beside a memory, as JSON, in bytes: a quarter of what PostgreSQL takes for one value.
pub(super) const MAX_ORIGIN_BYTES: usize = 256 << 20;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text without NUL, of at most 64 MiB.
    Text,
    /// Text of at most so many bytes.
    Label(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number in this range.
    Integer(i64, i64),
    /// A real number in 0–1.
    Share,
    /// A boolean.
    Bool,
    /// A moment in time.
    Moment,
    /// JSON of at most 64 MiB.
    Json,
    /// A dense vector.
    Vector,
}

/// Every field and what it holds, in the order of the design.
pub const FIELDS: &[(&str, Kind)] = &[
    ("content", Kind::Text),
    ("kind", Kind::Word(&KINDS)),
    ("source", Kind::Word(&SOURCES)),
    ("role", Kind::Text),
    ("topic", Kind::Text),
    ("importance", Kind::Integer(1, 5)),
    ("state", Kind::Word(&STATES)),
    ("state_changed_at", Kind::Moment),
    ("project_id", Kind::Integer(i32::MIN as i64, i32::MAX as i64)),
    ("commit_sha", Kind::Text),
    ("artifact_hash", Kind::Text),
    ("verified_at", Kind::Moment),
    ("source_run_id", Kind::Label(MAX_RUN_BYTES)),
    ("source_task_id", Kind::Text),
    ("source_dag_id", Kind::Text),
    ("pin", Kind::Bool),
    ("propagation", Kind::Json),
    ("metadata", Kind::Json),
    ("embedding", Kind::Vector),
    ("expires_at", Kind::Moment),
    ("valid_from", Kind::Moment),
    ("valid_to", Kind::Moment),
    ("created_at", Kind::Moment),
    ("updated_at", Kind::Moment),
    ("confidence", Kind::Share),
    ("is_active", Kind::Bool),
    ("content_type", Kind::Text),
    ("item_kind", Kind::Word(&ITEM_KINDS)),
];

impl Kind {
    /// The field of this name.
    pub(super) fn of(field: &str) -> Option<(&'static str, Self)> {
        FIELDS.iter().find(|(name, _)| *name == field).copied()
    }

    /// What a value of the field looks like, for errors.
    pub(super) fn accepted(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Label(bytes) => format!("text of at most {bytes} bytes"),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Self::Share => "a number from 0 to 1".into(),
            Self::Bool => "true or false".into(),
            Self::Moment => "a moment in time".into(),
            Self::Json => "JSON".into(),
            Self::Vector => "a vector, an array or text of numbers, or bytes of little-endian floats".into(),
        }
    }
}
