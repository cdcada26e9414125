//! What a source says: one typed value a cell, nothing rounded, nothing normalised.

use heirloom_store::Moment;
use uuid::Uuid;

/// One cell of a source row, as typed by the source.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL. JSON null is [`Value::Json`] with the text `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of any width up to 64 bits.
    Int(i64),
    /// A `numeric`, in decimal notation as the source prints it (`NaN`, `Infinity` included).
    Decimal(String),
    /// A single-precision float.
    Float32(f32),
    /// A double-precision float.
    Float64(f64),
    /// Text, valid UTF-8; may hold NUL when the source allows it (SQLite).
    Text(String),
    /// Text that is not valid UTF-8 (SQLite).
    InvalidText(Vec<u8>),
    /// Binary.
    Bytes(Vec<u8>),
    /// JSON text as the source gives it, not yet parsed.
    Json(String),
    /// A moment in time (`timestamptz`).
    Moment(Moment),
    /// A wall-clock time without zone, microseconds since 1970-01-01T00:00:00 in whatever zone was meant.
    LocalTime(Moment),
    /// Days since 1970-01-01; a date of infinity is [`Value::Other`].
    Date(i32),
    /// A calendar interval.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Microseconds.
        micros: i64,
    },
    /// A UUID.
    Uuid(Uuid),
    /// A dense vector of single-precision floats.
    Vector(Vec<f32>),
    /// A one-dimensional array.
    Array(Vec<Value>),
    /// Any other type, in the text form the source prints (`type::text`).
    Other(String),
}

impl Value {
    /// Whether the source said nothing.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// What kind of value it is, for errors: never the value itself.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Decimal(_) => "numeric",
            Self::Float32(_) => "real",
            Self::Float64(_) => "double precision",
            Self::Text(_) => "text",
            Self::InvalidText(_) => "text that is not UTF-8",
            Self::Bytes(_) => "bytea",
            Self::Json(_) => "json",
            Self::Moment(_) => "timestamp with time zone",
            Self::LocalTime(_) => "timestamp without time zone",
            Self::Date(_) => "date",
            Self::Interval { .. } => "interval",
            Self::Uuid(_) => "uuid",
            Self::Vector(_) => "vector",
            Self::Array(_) => "array",
            Self::Other(_) => "other",
        }
    }
}

/// One row of a source: the values in the order of the plan's columns, and its key.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRow {
    /// The key in canonical text, one string a key column.
    pub key: Vec<String>,
    /// One value a column of [`crate::source::Table::columns`], then one a computed expression of the mapping.
    pub values: Vec<Value>,
}
