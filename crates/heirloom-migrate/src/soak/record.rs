//! What a sweep leaves in the chain: counts, keys and columns, never content.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::shadow::Shadow;
use crate::verify::{Class, Difference};

/// Most divergences of a sweep that are kept one by one; all are counted.
pub const MAX_KEPT: usize = 100;

/// What kind of divergence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DivergenceKind {
    /// Handed down, and not in the store any more without a record that says why.
    Missing,
    /// In the store with another value in a column, and no record says why.
    Altered,
    /// In the store and not expected there.
    Unexpected,
    /// In the store under another namespace.
    WrongTenant,
    /// Somebody wrote to the frozen source: a row that is new, changed or gone.
    Leak,
}

/// One divergence: where, never what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// Its kind.
    pub kind: DivergenceKind,
    /// The source key.
    pub key: Vec<String>,
    /// The memory's id.
    pub id: Uuid,
    /// The chunk.
    pub chunk: Option<u32>,
    /// The column of the memory; absent when the row as a whole is concerned.
    pub column: Option<String>,
}

/// The payload of a `sweep` entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// Whether nothing unexplained was found.
    pub clean: bool,
    /// Whether every chunk was read, whatever it looked like.
    pub full: bool,
    /// Rows of the source.
    pub source_rows: u64,
    /// Rows that should be in the store.
    pub expected: u64,
    /// Rows of them that are equal in every field.
    pub equal: u64,
    /// Rows of the source that are set aside, so that they are in no store; absent where an older version swept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<u64>,
    /// Chunks of the plan.
    pub chunks: u64,
    /// Chunks of them that were read.
    pub read: u64,
    /// Rows that differ for a reason in the store's own records, by kind.
    pub explained: BTreeMap<String, u64>,
    /// How many divergences there are.
    pub divergence_count: u64,
    /// The first of them.
    pub divergences: Vec<Divergence>,
    /// blake3 over count and digest sum of the source rows of each chunk, hex: equal as long as the source stands still.
    pub source_root: String,
    /// How far the answers of both sides agreed, where the file names queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
}

/// The divergences among the differences of a comparison. `recorded` are the missing rows that were handed down once, and
/// `gone` is how many rows of the source that were handed down are not there any more.
pub(super) fn divergences(differences: &[Difference], recorded: &HashSet<Uuid>, gone: u64) -> Vec<Divergence> {
    let mut gone = gone;
    differences
        .iter()
        .map(|difference| {
            let kind = match difference.class {
                // A source row of which nothing was ever written here came late.
                Class::Missing if !recorded.contains(&difference.id) => DivergenceKind::Leak,
                Class::Missing => DivergenceKind::Missing,
                Class::Altered => DivergenceKind::Altered,
                Class::WrongTenant => DivergenceKind::WrongTenant,
                Class::SourceChanged => DivergenceKind::Leak,
                Class::Unexpected if difference.chunk.is_none() && gone > 0 => {
                    gone -= 1;
                    DivergenceKind::Leak
                }
                Class::Unexpected | Class::Foreign | Class::NotRejected | Class::MarkedOnly => {
                    DivergenceKind::Unexpected
                }
            };
            Divergence {
                kind,
                key: difference.key.clone(),
                id: difference.id,
                chunk: difference.chunk,
                column: difference.column.clone(),
            }
        })
        .collect()
}
