//! The evidence: what was planned, moved, set aside, compared and recalled, as JSON and as one self-contained page.
//!
//! [`Evidence`] is made of values that other rooms have already made; this room counts nothing anew and reads neither
//! database nor clock. It holds keys, counts, names and digests.
//!
//! Deliberately absent: content (no sample, no differing value), credentials, scripts and outside assets.

mod build;
mod check;
mod html;
pub(crate) mod page;
mod section;
mod sign;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::Head;
use crate::ledger::{RejectTotal, RunState};
use crate::plan::{ColumnFate, DimensionCount, Finding, NamespaceCount};
use crate::retire::Gate;
use crate::soak::DayKind;
use crate::source::Identity;
use crate::verify::{ChunkVerdict, Class, Explanation, RecallProof};

pub use build::Parts;
pub use html::html;
pub use sign::{Checked, Signed, Signer, check};
pub(crate) use words::number;

/// Version of the evidence's own form.
pub const FORMAT: u32 = 1;

/// The evidence of one migration of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// [`FORMAT`].
    pub format: u32,
    /// When it was made, RFC 3339, as the caller says.
    pub generated_at: String,
    /// Versions of the binaries at work.
    pub versions: Versions,
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// The run.
    pub run_id: Uuid,
    /// Where the run stands.
    pub state: RunState,
    /// Whether every row was compared and every difference is explained; `false` as well when nothing was compared.
    pub holds: bool,
    /// When it was first applied, RFC 3339.
    pub started_at: String,
    /// When its last chunk was done, RFC 3339.
    pub applied_at: Option<String>,
    /// When it was last verified, RFC 3339.
    pub verified_at: Option<String>,
    /// Database role that applied it.
    pub actor: String,
    /// The old side.
    pub source: Place,
    /// The new side.
    pub target: Place,
    /// The plan it was applied from.
    pub plan: PlanMark,
    /// The numbers.
    pub counts: Counts,
    /// What became of each source column.
    pub columns: Vec<ColumnFate>,
    /// What became of the embeddings, a line a dimension found.
    pub dimensions: Vec<DimensionCount>,
    /// The namespaces and the rows each was planned to get.
    pub namespaces: Vec<NamespaceCount>,
    /// What was set aside, by reason.
    pub rejects: Vec<RejectTotal>,
    /// What the plan found worth saying.
    pub findings: Vec<Finding>,
    /// Rows that differ for a reason in the store's own records, by reason.
    pub explained: BTreeMap<Explanation, u64>,
    /// The first of the differences that nobody explains.
    pub differences: Vec<Different>,
    /// Fields that the target does not show, so that they were not compared; none of a store's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_shown: Vec<String>,
    /// Rows of which the target does not show whether they are there; none of a store's.
    #[serde(default, skip_serializing_if = "crate::verify::is_none")]
    pub unseen: u64,
    /// Namespaces that the target shows a part of; none of a store's.
    #[serde(default, skip_serializing_if = "crate::verify::is_none")]
    pub partly_shown: u64,
    /// The comparison's digests; absent when nothing was compared.
    pub digests: Option<Digests>,
    /// What recall brought back; absent when it was not asked.
    pub recall: Option<RecallProof>,
    /// Days on which old and new were watched; empty before a soak.
    pub soak: Vec<SoakDay>,
    /// What the end of the source's table asks for, as far as the ledger can say; empty before a soak.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// The end of the chain that proves each step, to hold the ledger against later; absent where there is no chain.
    #[serde(default)]
    pub audit: Option<Head>,
    /// Commands with which anybody with access can check all this again.
    pub check_again: Vec<String>,
}

/// Which versions were at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Made the plan.
    pub plan: String,
    /// Applied it.
    pub apply: String,
    /// Wrote this evidence.
    pub report: String,
}

/// One side of a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Kind and place, without credentials.
    pub display: String,
    /// What was read or written there.
    pub table: String,
    /// Who read or wrote.
    pub identity: Identity,
    /// Fingerprint of schema and identity when the plan was made, hex.
    pub fingerprint: String,
}

/// Which plan it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanMark {
    /// blake3 of the plan, hex.
    pub digest: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Path of the migration file as given.
    pub file: String,
    /// blake3 of the migration file, hex.
    pub file_digest: String,
    /// Key columns of the source.
    pub key: Vec<String>,
}

/// The numbers. Those of the comparison are absent when nothing was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the source: as compared, else as applied.
    pub source_rows: u64,
    /// Rows written or already there after apply.
    pub migrated: u64,
    /// Rows written that were not there, over all passes.
    pub inserted: u64,
    /// Rows overwritten because the source changed, over all passes.
    pub updated: u64,
    /// Rows handed down again because the store had lost them, over all passes.
    #[serde(default)]
    pub restored: u64,
    /// Rows forgotten in the store, which stay forgotten.
    pub forgotten: u64,
    /// Rows changed on both sides; the store's edit stays.
    pub conflicts: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Rows that the target should hold.
    pub expected: Option<u64>,
    /// Rows of them that it holds.
    pub found: Option<u64>,
    /// Rows of them that are equal in every field.
    pub equal: Option<u64>,
    /// Rows explained: those that differ for a recorded reason, and those of the same namespaces that did not come from
    /// here ([`Self::live_rows`]).
    pub explained: Option<u64>,
    /// Differences that nobody explains.
    pub differences: Option<u64>,
    /// Rows of the same namespaces that did not come from here.
    pub live_rows: Option<u64>,
}

/// A difference: where, never what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Different {
    /// Its class.
    pub class: Class,
    /// The source key.
    pub key: Vec<String>,
    /// The memory's id.
    pub id: Uuid,
    /// The chunk.
    pub chunk: Option<u32>,
    /// The column; absent when the row as a whole is concerned.
    pub column: Option<String>,
}

/// Digests of one comparison, under a key made for that comparison and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Root of the Merkle tree over the chunks' target sums, hex.
    pub merkle_root: String,
    /// A line a chunk: counts and sums of both sides.
    pub chunks: Vec<ChunkVerdict>,
}

/// A day of the soak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoakDay {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// Sweeps on that day.
    pub sweeps: u32,
    /// Differences found that nobody explains.
    pub differences: u64,
    /// What the day was: clean, divergent, missing, or open.
    #[serde(default = "open")]
    pub kind: DayKind,
    /// Whether it counts for the soak under way.
    #[serde(default)]
    pub counts: bool,
}

/// What a day was of which older evidence does not say it.
fn open() -> DayKind {
    DayKind::Open
}

/// The evidence of several migrations as one JSON array, pretty-printed, with a line feed at its end.
pub fn json(evidence: &[Evidence]) -> String {
    let mut text = serde_json::to_string_pretty(evidence).unwrap_or_else(|_| "[]".to_owned());
    text.push('\n');
    text
}
