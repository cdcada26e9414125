//! Rejects again: first the rows as the source has them now, then, where it has not changed or has them no longer, the
//! bytes that were kept.
//!
//! A reject is closed in the transaction that writes its row, and the chunk it was counted in counts it anew, so that
//! the ledger adds up to the source before and after.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Mutex;

use deadpool_postgres::Transaction;
use serde::Serialize;

use super::options::{Options, Rate};
use super::pace::Pace;
use super::{Work, chunk, foreign, preflight, write};
use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::ledger::{self, ChunkResult, RejectFilter, RejectRecord, RunState};
use crate::mapping::RejectCode;
use crate::plan::Plan;
use crate::source::{Source, verbatim};
use crate::target::Foreign;
use heirloom_store::Store;

/// Rows in one transaction.
pub(super) const BATCH: i64 = 1_000;

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
pub async fn retry(
    plan: &Plan,
    source: &dyn Source,
    store: &Store,
    foreign: Option<&dyn Foreign>,
    failpoints: Failpoints,
) -> Result<Retried> {
    let options = Options { failpoints, ..Options::default() };
    let work = preflight::preflight(plan, source, store, foreign, &options).await?;
    require_run(&work).await?;
    ledger::ensure(store.database()).await?;
    let before = open(&work).await?;
    as_the_source_has_them(&work).await?;
    let left = as_they_were_kept(&work).await?;
    let after = open(&work).await?;
    let still_open = before.intersection(&after).count() as u64;
    let tried = before.len() as u64;
    let retried =
        Retried { tried, handed_down: tried - still_open, still_rejected: still_open.saturating_sub(left), left };
    if retried.handed_down > 0 {
        unverify(&work, retried.handed_down).await?;
    }
    Ok(retried)
}

async fn open(work: &Work<'_>) -> Result<HashSet<Vec<String>>> {
    let client = work.store.database().client().await?;
    Ok(ledger::open_rejects(&client, &work.origin_source).await?.into_iter().map(|(key, _)| key).collect())
}

/// Deals again with the chunks in which this run set rows aside, where the source changed since.
async fn as_the_source_has_them(work: &Work<'_>) -> Result<()> {
    let (records, ordinals) = {
        let client = work.store.database().client().await?;
        let rejects = ledger::list_rejects(&client, &filter(work, 0, 0)).await?;
        let ordinals: BTreeSet<u32> = rejects.iter().filter_map(|reject| own_chunk(work, reject)).collect();
        (ledger::chunks(&client, work.plan.run_id).await?, ordinals)
    };
    // A chunk that was never done is for `apply`.
    let pairs = work.plan.chunks.iter().zip(&records);
    for (chunk, record) in pairs.filter(|(chunk, record)| record.done && ordinals.contains(&chunk.ordinal)) {
        if chunk::unchanged(work, chunk, record).await?.is_none() {
            chunk::again(work, chunk, chunk::Only::Every, &Mutex::new(Pace::new(Rate::default()))).await?;
        }
    }
    Ok(())
}

/// Tries the kept bytes of what is still open; gives back how many rows the store keeps as they are.
async fn as_they_were_kept(work: &Work<'_>) -> Result<u64> {
    let mut left = 0;
    let mut after = 0;
    loop {
        let mut client = work.store.database().client().await?;
        let mut tx = client.transaction().await?;
        let records = ledger::list_rejects(&tx, &filter(work, after, BATCH)).await?;
        let Some(last) = records.last() else { return Ok(left) };
        after = last.reject_id;
        let mut chunks: BTreeMap<Option<u32>, Vec<&RejectRecord>> = BTreeMap::new();
        for record in records.iter().filter(|record| may_be_tried_alone(record)) {
            chunks.entry(own_chunk(work, record)).or_default().push(record);
        }
        for (ordinal, records) in chunks {
            left += one_chunk(work, &mut tx, ordinal, &records).await?;
        }
        work.failpoints.pass(Point::BeforeRetry).await?;
        tx.commit().await?;
        drop(client);
        work.failpoints.pass(Point::AfterRetry).await?;
    }
}

/// The rejects of one chunk of this run, or of none: what only an earlier run met stays that run's until it maps.
async fn one_chunk(
    work: &Work<'_>,
    tx: &mut Transaction<'_>,
    ordinal: Option<u32>,
    records: &[&RejectRecord],
) -> Result<u64> {
    if let Some(ordinal) = ordinal {
        ledger::lock_chunk(tx, work.plan.run_id, ordinal).await?;
    }
    let (mut items, mut buffer) = (Vec::with_capacity(records.len()), Vec::new());
    for record in records {
        let row = verbatim::restore(&work.plan.source.table, &record.key, &record.source_row)?;
        let item = work.mapper.map(row, record.source_row.len() as u64, &mut buffer);
        if ordinal.is_some() || item.outcome.is_ok() {
            items.push(item);
        }
    }
    let mut result = ChunkResult { rows: items.len() as u64, ..ChunkResult::default() };
    let there = match work.foreign {
        None => write::write(work, tx, items, &mut result, ordinal.unwrap_or(0)).await?,
        Some(target) => {
            let (known, mut settled) = (foreign::known(work, tx, &items).await?, foreign::Settled::default());
            foreign::deliver(work, target, items, &known, &mut settled).await?;
            foreign::record(work, tx, settled, &mut result, ordinal.unwrap_or(0)).await?
        }
    };
    if let Some(mark) = &work.mark {
        mark.stamp_with_rows(tx, work, &there).await?;
    }
    ledger::unprove(tx, work.plan.run_id, result.written()).await?;
    if let Some(ordinal) = ordinal {
        ledger::retried_chunk(tx, work.plan.run_id, ordinal, &result).await?;
    }
    Ok(result.forgotten + result.conflicts)
}

/// Whether the bytes that were kept say enough. A second row of one identity would take the place of the first.
pub(super) fn may_be_tried_alone(record: &RejectRecord) -> bool {
    record.is_kept() && record.code != RejectCode::DuplicateKey
}

/// The chunk of this run that counts a reject.
pub(super) fn own_chunk(work: &Work<'_>, reject: &RejectRecord) -> Option<u32> {
    (reject.run_id == work.plan.run_id).then_some(reject.ordinal)
}

pub(super) fn filter(work: &Work<'_>, after: i64, limit: i64) -> RejectFilter {
    RejectFilter { name: None, source: Some(work.origin_source.clone()), open_only: true, after, limit, by_key: false }
}

/// Rows that were written after the proof are not in it.
async fn unverify(work: &Work<'_>, handed_down: u64) -> Result<()> {
    let mut client = work.store.database().client().await?;
    let run = ledger::find_run(&client, work.plan.run_id).await?;
    if run.is_some_and(|run| run.state == RunState::Verified || run.state.is_soaked_or_later()) {
        let tx = client.transaction().await?;
        let details = serde_json::json!({ "written": handed_down, "retried": true });
        ledger::set_state(&tx, work.plan.run_id, RunState::Applied, &details).await?;
        work.failpoints.pass(Point::BeforeSettle).await?;
        tx.commit().await?;
        drop(client);
        work.failpoints.pass(Point::AfterSettle).await?;
    }
    Ok(())
}

pub(super) async fn require_run(work: &Work<'_>) -> Result<()> {
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
