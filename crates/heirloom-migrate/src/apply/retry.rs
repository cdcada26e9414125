//! Rejects again: the kept bytes of rows that were set aside, mapped by a mended plan.
//!
//! It reads nothing from the source. A row that changed there since it was set aside is met by `apply`, not here; both
//! close the reject in the transaction that writes the row.

use serde::Serialize;

use super::{Work, chunk, preflight, write};
use crate::error::{MigrateError, Result};
use crate::ledger::{self, ChunkResult, RejectFilter};
use crate::plan::Plan;
use crate::source::{Source, verbatim};
use heirloom_store::Store;

/// Rows in one transaction.
const BATCH: i64 = 1_000;

/// What a retry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Retried {
    /// Open rejects that were tried.
    pub tried: u64,
    /// Handed down and closed.
    pub handed_down: u64,
    /// Still set aside, with the newest reason.
    pub still_rejected: u64,
    /// Forgotten in the store, or changed on both sides.
    pub left: u64,
}

/// Maps the open rejects of a plan's source again and hands down those that now map.
///
/// # Errors
/// As [`super::run`]; and [`MigrateError::Plan`] when the plan was never applied, since the run must exist first.
pub async fn retry(plan: &Plan, source: &dyn Source, store: &Store) -> Result<Retried> {
    let work = preflight::preflight(plan, source, store).await?;
    let mut retried = Retried::default();
    require_run(&work).await?;
    let mut after = 0;
    loop {
        let mut client = store.database().client().await?;
        let filter =
            RejectFilter { name: None, source: Some(work.origin_source.clone()), open_only: true, after, limit: BATCH };
        let mut tx = client.transaction().await?;
        let records = ledger::list_rejects(&tx, &filter).await?;
        let Some(last) = records.last() else { return Ok(retried) };
        after = last.reject_id;
        let items = records
            .iter()
            .map(|record| {
                verbatim::restore(&plan.source.table, &record.key, &record.source_row).map(|row| chunk::map(&work, row))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut result = ChunkResult { rows: items.len() as u64, ..ChunkResult::default() };
        write::write(&work, &mut tx, items, &mut result, 0).await?;
        tx.commit().await?;
        retried.tried += result.rows;
        retried.handed_down += result.inserted + result.updated + result.present;
        retried.still_rejected += result.rejected;
        retried.left += result.forgotten + result.conflicts;
    }
}

async fn require_run(work: &Work<'_>) -> Result<()> {
    let client = work.store.database().client().await?;
    let known = ledger::exists(&client).await? && ledger::find_run(&client, work.plan.run_id).await?.is_some();
    if known {
        return Ok(());
    }
    Err(MigrateError::Plan {
        plan: work.plan.name.clone(),
        what: "it was not applied yet".into(),
        cure: "run `heirloom apply` with it first; that hands down mended rows as well".into(),
    })
}
