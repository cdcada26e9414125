//! The file compiled against a source table: a checked program and a pure function row → memory or reject.
//!
//! Everything that can be refused without looking at a row is refused by [`Program::compile`], at its place in the
//! file. [`Program::map`] reads no clock, no database and no environment: the same row gives the same memory on every
//! run, on which identity, verification and re-runs rest.

mod compile;
mod convert;
mod fates;
mod field;
mod identity;
mod interval;
mod moment;
mod namespace;
mod program;
pub(crate) mod redaction;
mod rule;

use heirloom_store::Memory;
use serde::{Deserialize, Serialize};

use crate::source::TreeRows;
use crate::target::Surface;

pub(crate) use convert::vector_list;
pub use field::{FIELDS, Kind};
pub use identity::RECIPE;
pub use program::Program;
pub(crate) use rule::fold;

/// What the mapping needs to know beside file and table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Fingerprint of the source system, part of derived ids.
    pub system: String,
    /// The tenant, part of derived ids.
    pub tenant: String,
    /// The tree of parents, when the file names one.
    pub tree: Option<TreeRows>,
    /// The store's embedding width.
    pub dimension: usize,
    /// Key columns, in order.
    pub key: Vec<String>,
    /// What rows become in a target that is no store.
    pub surface: Option<Surface>,
}

/// What a row became.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// The memory.
    pub memory: Memory,
    /// The verbatim source row for `heirloom.origin`: a JSON object without the carried columns.
    pub origin: String,
    /// What happened to the row that a plan counts but that is no reject (e.g. an embedding left behind).
    pub notes: Vec<Note>,
}

/// Something a plan counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// The vector does not fit the store's dimension: text kept, the vector verbatim in the origin.
    NeedsEmbedding,
    /// A value not listed in a value map was kept raw in metadata.
    ValueKept,
    /// No time of creation in the source; none was invented.
    CreatedAtMissing,
    /// A lesson without a time of verification: stored, not recalled by default.
    Ghost,
    /// A numeric value was rounded (declared by `scale`).
    Rounded,
    /// JSON null was read as absent.
    JsonNull,
    /// A target that is no store has no place for what the field of this number says (see [`crate::canon::FIELDS`]).
    NotCarried(u8),
}

/// Why a row was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reason.
    pub code: RejectCode,
    /// The memory field concerned.
    pub field: Option<String>,
    /// The source column concerned.
    pub column: Option<String>,
    /// A sentence without content: what was found, what is accepted.
    pub message: String,
}

/// Reasons a row is set aside. The wire form is kebab-case and part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectCode {
    /// Content is null, empty or only white space.
    EmptyContent,
    /// A NUL character.
    Nul,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// JSON with a lone surrogate or otherwise not storable as jsonb.
    InvalidJson,
    /// A part of the namespace is missing.
    NamespaceMissing,
    /// The namespace does not follow the grammar, or is too long.
    NamespaceInvalid,
    /// The namespace is not among those the plan announced.
    NamespaceNotPlanned,
    /// A value that no rule of the file covers.
    UnmappedValue,
    /// A value that cannot be read as the field's type.
    TypeMismatch,
    /// A number or moment outside the field's range.
    OutOfRange,
    /// A vector whose dimension does not fit.
    Dimension,
    /// A vector with NaN, an infinity, or only zeros.
    VectorInvalid,
    /// A required field has no value.
    FieldMissing,
    /// A field longer than the store or PostgreSQL takes.
    TooLarge,
    /// Two source rows with the same identity.
    DuplicateKey,
    /// Only the database saw it (bisected to the row), or what takes rows over HTTP.
    Database,
    /// A target that is no store has no way to say the value.
    NotCarried,
    /// A target that is no store would hide this row or another for it.
    WouldHide,
    /// In the store its model has vectors of another width in this namespace.
    ModelWidth,
}
