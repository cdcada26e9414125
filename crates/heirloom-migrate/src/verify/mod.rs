//! Verify: every row and every mapped field, both sides, read-only.
//!
//! The source is read again and mapped again; the target is read by [`target`] with a decoder of its own. Both become
//! keyed digests under a key that is made for this one run. A chunk whose sums and counts agree is equal; in any other
//! the rows are walked until each difference has a row, a column, a class and, when the store's own records say why, an
//! explanation. What no record explains, and is still so when it is looked at again, is a difference.
//!
//! Deliberately absent: any write (the ledger's `verified` is recorded by the caller when asked to), the loader's
//! encoder and the value encoders of `canon`.

mod again;
mod aside;
mod difference;
mod door;
mod expected;
mod explain;
mod foreign;
mod json;
mod judge;
mod live;
mod marks;
mod merkle;
mod partial;
mod question;
mod recall;
mod recorded;
mod standing;
pub mod target;
mod unmet;
mod walk;
mod wire;

use std::collections::BTreeMap;

use heirloom_store::Store;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::DigestSum;
use crate::error::{MigrateError, Result};
use crate::plan::Plan;
use crate::source::Source;
use crate::target::Foreign;

pub use difference::{Class, Difference, Explanation, Side};
pub use door::{Door, Question, Seen};
pub(crate) use json::canonical as canonical_json;
pub use live::LiveRow;
pub use merkle::merkle_root;
pub(crate) use partial::{Found, Partial, Whole};
pub use recall::{Answers, Leak, LeftOut, MAX_NAMESPACES, RecallProof, recall_proof};
pub use recorded::{RecordedCheck, recorded};
pub use standing::{Standing, standing};
pub(crate) use target::framed;
pub(crate) use wire::enclose;

/// Most differences that are listed; all are counted.
pub const MAX_LISTED: usize = 1_000;

/// What to verify.
pub struct VerifyRequest<'a> {
    /// The plan that was applied.
    pub plan: &'a Plan,
    /// The source, opened.
    pub source: &'a dyn Source,
    /// The store.
    pub store: &'a Store,
    /// The target, where it is no store; the store then holds the ledger.
    pub foreign: Option<&'a dyn Foreign>,
    /// Put expected and found values into the differences, not only their digests.
    pub show_content: bool,
    /// Called after each chunk with rows compared and rows planned.
    pub progress: &'a mut (dyn FnMut(u64, u64) + Send),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// The run.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// The plan's digest.
    pub plan_digest: String,
    /// Rows the source has now.
    pub source_rows: u64,
    /// Rows of them that map, so that they are expected in the target.
    pub expected: u64,
    /// Rows of them that do not map, or that the database refused and the ledger kept, and that are rightly absent.
    pub rejected: u64,
    /// Expected rows that are in the target under their id.
    pub found: u64,
    /// Found rows that are equal in every field.
    pub equal: u64,
    /// Rows that differ for a reason the store's records give, by reason.
    pub explained: BTreeMap<Explanation, u64>,
    /// Rows of the target's namespaces that were not handed down from here: written live, or by another migration.
    pub live_rows: u64,
    /// The first of them.
    pub live: Vec<LiveRow>,
    /// How many differences nobody explains.
    pub difference_count: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
    /// A line a chunk.
    pub chunks: Vec<ChunkVerdict>,
    /// Root of the Merkle tree over the chunks' target sums ([`merkle_root()`]), hex; the sums are under this run's key.
    pub merkle_root: String,
    /// Fields that the target does not show, so that they could not be compared; none of a store's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_shown: Vec<String>,
    /// Rows of which the target does not show whether they are there, so that nothing was proven of them; none of a store's.
    #[serde(skip_serializing_if = "is_none")]
    pub unseen: u64,
    /// Namespaces that the target shows a part of, so that live rows were counted as far as they show.
    #[serde(skip_serializing_if = "is_none")]
    pub partly_shown: u64,
    /// Whether every row is equal or explained, as far as the target shows its rows.
    pub holds: bool,
}

/// What was found in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkVerdict {
    /// From 0.
    pub ordinal: u32,
    /// Rows of the source.
    pub source_rows: u64,
    /// Count and sum of the expected rows.
    pub expected: DigestSum,
    /// Count and sum of the rows found.
    pub found: DigestSum,
    /// Differences that nobody explains.
    pub differences: u64,
}

/// Compares both sides, of a target that is no store as far as it shows its rows.
///
/// # Errors
/// [`MigrateError::Refused`] when either side has no rows at all: nothing was proven; [`MigrateError::Plan`] when the
/// plan no longer matches file or source, so that the comparison would be of something else.
pub async fn run(request: VerifyRequest<'_>) -> Result<Verification> {
    let VerifyRequest { plan, source, store, foreign, show_content, progress } = request;
    let work = expected::Work::new(plan, source, store, foreign, show_content).await?;
    let mut verification = Verification::of(plan);
    let (mut met, mut suspects) = (unmet::Ids::new(&work.mapping.key), again::Suspects::default());
    for chunk in &plan.chunks {
        let (_, verdict) = walk::chunk(&work, chunk, &mut met, &mut suspects, &mut verification).await?;
        verification.chunks.push(verdict);
        progress(verification.source_rows + suspects.len(), plan.counts.rows);
    }
    unmet::unmet(&work, &met, &mut suspects, &mut verification).await?;
    match foreign {
        None => live::live(&work, &mut verification).await?,
        Some(foreign) => foreign::beyond(&work, foreign, &mut verification).await?,
    }
    // Rarely there is anything to do, and what it takes would make every future large that compares.
    Box::pin(suspects.settle(&work, &mut verification)).await?;
    Box::pin(marks::compare(&work, &mut verification)).await?;
    refuse_nothing(&verification, plan)?;
    verification.merkle_root = merkle_root(&verification.chunks);
    verification.holds = verification.difference_count == 0;
    Ok(verification)
}

/// Which fields a target does not show, or which it shows where these are fewer.
pub fn what_is_compared(not_shown: &[String]) -> String {
    let shown: Vec<&str> =
        crate::canon::FIELDS.into_iter().filter(|field| !not_shown.iter().any(|hidden| hidden == field)).collect();
    match shown.len() < not_shown.len() {
        true => format!("the target shows {} alone", shown.join(", ")),
        false => format!("the target does not show {}", not_shown.join(", ")),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
pub(crate) fn is_none(count: &u64) -> bool {
    *count == 0
}

fn refuse_nothing(verification: &Verification, plan: &Plan) -> Result<()> {
    let nothing = |side: &str| {
        Err(MigrateError::Refused {
            what: format!("{side} has no rows of {}, so nothing was proven", plan.source.display),
            cure: "check the table and the plan; an empty side is never a success".into(),
        })
    };
    if verification.source_rows == 0 {
        return nothing("The source");
    }
    let explained: u64 = verification.explained.values().sum();
    if verification.found == 0 && explained == 0 {
        return nothing("The target");
    }
    Ok(())
}

impl Verification {
    fn of(plan: &Plan) -> Self {
        Self {
            run_id: plan.run_id,
            name: plan.name.clone(),
            tenant: plan.tenant.clone(),
            plan_digest: plan.digest.clone(),
            source_rows: 0,
            expected: 0,
            rejected: 0,
            found: 0,
            equal: 0,
            explained: BTreeMap::new(),
            live_rows: 0,
            live: Vec::new(),
            difference_count: 0,
            differences: Vec::new(),
            chunks: Vec::new(),
            merkle_root: String::new(),
            not_shown: Vec::new(),
            unseen: 0,
            partly_shown: 0,
            holds: false,
        }
    }

    fn differs(&mut self, difference: Difference) {
        self.difference_count += 1;
        if self.differences.len() < MAX_LISTED {
            self.differences.push(difference);
        }
    }

    /// Adds what a row came to.
    fn add(&mut self, tally: judge::Tally) {
        self.source_rows += tally.source_rows;
        self.expected += tally.expected;
        self.rejected += tally.rejected;
        self.found += tally.found;
        self.equal += tally.equal;
        self.unseen += tally.unseen;
        if let Some(explanation) = tally.explained {
            *self.explained.entry(explanation).or_default() += 1;
        }
        tally.differences.into_iter().for_each(|difference| self.differs(difference));
    }
}
