//! The plan as a value: everything `apply` will do and everything a reader needs to judge it, digested.
//!
//! Made by reading the whole source in one read-only snapshot; writes nothing anywhere. `apply` executes only a stored
//! plan whose digest still matches mapping, source schema and target schema.

mod chunks;
pub(crate) mod columns;
pub mod drift;
mod enumeration;
mod estimate;
mod fingerprint;
mod key;
mod limits;
mod look;
mod make;
mod memory_text;
mod origin;
mod present;
mod progress;
mod report;
mod sample;
mod seal;
pub(crate) mod shown;
mod survey;
mod target;

pub use enumeration::MOST_VALUES;
pub use estimate::Estimate;
pub use fingerprint::{source_fingerprint, target_fingerprint};
pub use key::columns as key_columns;
pub use limits::Limits;
pub use make::{Request, draft, make, make_for};
pub use progress::Progress;
pub use report::report_text;
pub use target::{DEFAULT_DIMENSION, Target};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::DigestSum;
use crate::mapping::RejectCode;
use crate::source::{Identity, KeyRange, Read, Relation, Table, TreeRows};
use crate::target::{Found, Predicted};

/// Version of the plan's own form; another one is refused.
pub const FORMAT: u32 = 1;

/// Most bytes of source rows in a chunk.
pub const CHUNK_BYTES: u64 = 16 * 1024 * 1024;

/// Most rows in a chunk.
pub const CHUNK_ROWS: u64 = 5_000;

/// Most keys of [`Plan::respelt`]; where there are more, a plan is refused.
pub const MOST_RESPELT: usize = 10_000;

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: u32,
    /// The run this plan becomes when it is applied.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// The tenant; part of migrated ids.
    pub tenant: String,
    /// When the plan was made.
    pub created_at: jiff::Timestamp,
    /// Version of the binary that made it.
    pub heirloom: String,
    /// The migration file, whole, with its path: what apply compiles again.
    pub file: PlannedFile,
    /// The source as found.
    pub source: PlannedSource,
    /// The target as found.
    pub target: PlannedTarget,
    /// What happens to each source column.
    pub columns: Vec<ColumnFate>,
    /// Every distinct value of each mapped enumeration, its count and where it goes.
    pub enumerations: Vec<Enumeration>,
    /// The counts.
    pub counts: Counts,
    /// Predicted rejects a reason.
    pub rejects: Vec<RejectCount>,
    /// Keys that are the id of a row before them in another spelling, sorted: those rows are set aside. At most
    /// [`MOST_RESPELT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub respelt: Vec<Vec<String>>,
    /// Namespaces that will exist afterwards, with the rows each gets.
    pub namespaces: Vec<NamespaceCount>,
    /// Embedding dimensions found and what happens to each.
    pub dimensions: Vec<DimensionCount>,
    /// The chunk map: key ranges, the first and last open-ended.
    pub chunks: Vec<PlannedChunk>,
    /// How large a chunk might become.
    pub limits: Limits,
    /// Up to three rows before and after.
    pub samples: Vec<Sample>,
    /// The findings, most severe first.
    pub findings: Vec<Finding>,
    /// What keeps `apply` from taking this plan; empty when nothing does.
    pub refusals: Vec<String>,
    /// Count and digest sum of all source rows, under `drift_key`.
    pub drift: DigestSum,
    /// Hex of the key of `drift`; of use to nobody without the rows.
    pub drift_key: String,
    /// What it will take.
    pub estimate: Estimate,
    /// blake3 of this plan's JSON with this field empty, hex.
    pub digest: String,
}

impl Plan {
    /// Width of the vectors where the rows go, `store` being that of the store.
    pub(crate) fn width(&self, store: usize) -> usize {
        self.target.foreign.as_ref().map_or(store, |found| found.dimension)
    }

    /// Whether this key is the id of a row before it in another spelling.
    pub(crate) fn is_respelt(&self, key: &[String]) -> bool {
        self.respelt.binary_search_by(|known| known.as_slice().cmp(key)).is_ok()
    }

    /// The read of a range of its source: all columns as they were planned, and these expressions after them.
    pub(crate) fn reading(&self, range: &KeyRange, expressions: &[String]) -> Read {
        Read {
            relation: self.source.relation.clone(),
            table: self.source.table.clone(),
            key: self.source.key.clone(),
            expressions: expressions.to_vec(),
            range: range.clone(),
            since: None,
            keys: None,
        }
    }
}

/// The migration file inside a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// As given on the command line.
    pub path: String,
    /// Whole, as read.
    pub text: String,
    /// blake3 of the text, hex.
    pub digest: String,
}

/// The source inside a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSource {
    /// Kind and place, no credentials.
    pub display: String,
    /// What is read.
    pub relation: Relation,
    /// The table as found.
    pub table: Table,
    /// Key columns.
    pub key: Vec<String>,
    /// Who reads.
    pub identity: Identity,
    /// Whether it lies in the target's database.
    pub same_database: bool,
    /// The tree of parents as found; apply refuses when it changed.
    pub tree: Option<TreeRows>,
    /// blake3 over table, key and tree, hex.
    pub fingerprint: String,
}

/// The target inside a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTarget {
    /// Place, no credentials.
    pub display: String,
    /// The store's id; absent when the store is not there yet (`apply` installs it).
    pub store_id: Option<Uuid>,
    /// The store's schema version.
    pub schema_version: u32,
    /// The store's embedding dimension.
    pub dimension: usize,
    /// Who will write.
    pub identity: Identity,
    /// blake3 over store id, version and dimension, hex.
    pub fingerprint: String,
    /// The target of the rows, where it is no store; the store then holds the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Found>,
    /// What a foreign target would do to the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<Predicted>,
}

/// What happens to one source column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnFate {
    /// The column.
    pub column: String,
    /// Its declared type.
    pub declared: String,
    /// Mapped, kept, dropped, or lost.
    pub fate: Fate,
    /// Memory fields it feeds (as `field` or `namespace`), or where it is kept.
    pub to: Vec<String>,
    /// The reason of a drop, or how the value is transformed.
    pub note: Option<String>,
    /// Rows in which it is null.
    pub nulls: u64,
}

/// The four ends of a column. `Lost` refuses the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Feeds one or more fields.
    Mapped,
    /// Kept verbatim.
    Kept,
    /// Left behind with a reason.
    Dropped,
    /// Neither.
    Lost,
}

/// The distinct values of one mapped column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enumeration {
    /// The source column.
    pub column: String,
    /// The memory field (or `namespace`).
    pub field: String,
    /// The values, most frequent first; at most [`MOST_VALUES`].
    pub values: Vec<ValueCount>,
    /// Rows whose value is not listed because there are more than [`MOST_VALUES`].
    pub unlisted: u64,
}

/// One distinct value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCount {
    /// As the source spells it; `None` is NULL.
    pub value: Option<String>,
    /// In how many rows.
    pub count: u64,
    /// What it becomes, as observed on the rows: a value, a template, `null`, `kept raw in metadata`, or `rejected`.
    pub becomes: String,
}

/// Counts over the whole source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows read.
    pub rows: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Rows that will be written or are there already.
    pub accepted: u64,
    /// Rows that will be set aside.
    pub rejected: u64,
    /// Accepted rows that are already there.
    pub present: u64,
    /// Accepted rows whose id is taken by a memory that did not come from this source; those stay as they are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub taken: u64,
    /// Accepted rows that were forgotten before and stay so.
    pub forgotten: u64,
    /// Accepted rows that are already expired.
    pub expired: u64,
    /// Accepted rows that recall leaves out by default: no provenance.
    pub ghosts: u64,
}

// A plan that was made before something was counted keeps its digest.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Predicted rejects for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectCount {
    /// The reason.
    pub code: RejectCode,
    /// The field, when one is concerned.
    pub field: Option<String>,
    /// How many rows.
    pub count: u64,
    /// The key of one of them.
    pub example_key: Vec<String>,
    /// The sentence.
    pub message: String,
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceCount {
    /// Its name.
    pub namespace: String,
    /// Rows it gets.
    pub rows: u64,
}

/// One embedding dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DimensionCount {
    /// Width; `None` is no embedding.
    pub dimensions: Option<usize>,
    /// Rows.
    pub rows: u64,
    /// What happens to it.
    pub becomes: String,
}

/// One chunk: rows of a key range that move in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChunk {
    /// From 0.
    pub ordinal: u32,
    /// The key range; open at the outer edges.
    pub range: KeyRange,
    /// Rows when the plan was made.
    pub rows: u64,
    /// Bytes when the plan was made.
    pub bytes: u64,
}

/// A row before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Key.
    pub key: Vec<String>,
    /// Column to verbatim text, long values cut.
    pub before: serde_json::Map<String, serde_json::Value>,
    /// Field to text, long values cut; or the reject.
    pub after: serde_json::Map<String, serde_json::Value>,
}

/// A trap found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id, e.g. `created-at-unmapped`.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// Rows concerned, when it is about rows.
    pub rows: Option<u64>,
    /// What was found.
    pub what: String,
    /// What to write in the migration file, or what to do.
    pub write: String,
}

/// How bad a finding is. Only [`Plan::refusals`] keep a plan from being applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something will be lost or seen by others than before.
    Danger,
    /// Something will look different.
    Warning,
    /// Worth knowing.
    Note,
}
