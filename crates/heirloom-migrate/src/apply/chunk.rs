//! One chunk: claimed, read and mapped without a connection, then everything in one transaction.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heirloom_store::bulk;
use uuid::Uuid;

use super::crew::LOOK;
use super::item::{Item, Mapper};
use super::pace::Pace;
use super::{Work, foreign, write};
use crate::batch::Batches;
use crate::digest::DigestSum;
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::ledger::{self, ChunkRecord, ChunkResult, Lease};
use crate::mapping::{Reject, RejectCode};
use crate::plan::PlannedChunk;
use crate::source::{self, KeyRange, Read, Since};
use crate::value::SourceRow;

/// Which rows of a chunk are dealt with.
#[derive(Clone, Copy)]
pub(super) enum Only<'a> {
    /// All of them.
    Every,
    /// Those that changed since.
    Since(&'a Since),
    /// Those of these keys.
    Keys(&'a [Vec<String>]),
}

/// A chunk, read and mapped.
pub(super) struct Prepared {
    pub(super) lease: Lease,
    pub(super) items: Vec<Item>,
    /// Count and sum over the versions of its rows, where the source keeps any.
    look: Option<DigestSum>,
    /// Whether these are all its rows.
    whole: bool,
}

/// Reads and maps a chunk, or some of its rows. The connection of the source is released before this returns.
pub(super) async fn prepare(work: &Work<'_>, lease: Lease, only: Only<'_>) -> Result<Prepared> {
    work.failpoints.pass(Point::BeforeDigest).await?;
    let mapper = Arc::clone(&work.mapper);
    let (mut batches, worked) = Batches::new(move |rows| mapper.map_all(rows));
    let mut read = work.reading(&planned(work, &lease)?.range);
    match only {
        Only::Every => {}
        Only::Since(since) => read.since = Some(since.clone()),
        Only::Keys(keys) => read.keys = Some(keys.to_vec()),
    }
    // Read with the row, so that the two are of one moment.
    read.expressions.extend(work.version.clone());
    let (mut look, mut buffer) = (work.version.as_ref().map(|_| DigestSum::default()), Vec::new());
    work.source
        .scan(&read, &mut |mut row, bytes| {
            if let Some(look) = &mut look {
                let version = row.values.pop();
                look.add(source::look(&row.key, version.as_ref(), &work.mapper.key, &mut buffer));
            }
            batches.push((row, bytes));
            Ok(())
        })
        .await?;
    batches.end();
    let mut items = worked.all().await?;
    let mut seen = HashSet::new();
    for item in &mut items {
        let is_respelt = work.plan.is_respelt(&item.row.key);
        if !seen.insert(item.id) || is_respelt {
            item.outcome = Err(Reject {
                code: RejectCode::DuplicateKey,
                field: is_respelt.then(|| "id".into()),
                column: None,
                message: "a row before it has the same key".into(),
            });
        }
    }
    work.failpoints.pass(Point::AfterDigest).await?;
    Ok(Prepared { lease, items, look, whole: matches!(only, Only::Every) })
}

fn planned<'w>(work: &'w Work<'_>, lease: &Lease) -> Result<&'w PlannedChunk> {
    work.plan.chunks.get(lease.ordinal as usize).ok_or_else(|| {
        MigrateError::Ledger(format!("run {} has a chunk {} that no plan knows", lease.run_id, lease.ordinal))
    })
}

impl Work<'_> {
    /// The read of a range as the plan has it.
    pub(super) fn reading(&self, range: &KeyRange) -> Read {
        self.plan.reading(range, self.mapper.program.expressions())
    }

    /// Count and sum over the values of the rows of a read; `visit` is given each key.
    pub(super) async fn values(&self, read: &Read, visit: &mut (dyn FnMut(&[String]) + Send)) -> Result<DigestSum> {
        let (mut sum, mut buffer) = (DigestSum::default(), Vec::new());
        self.source
            .scan(read, &mut |row, _bytes| {
                sum.add(self.mapper.source_digest(&row, &mut buffer));
                visit(&row.key);
                Ok(())
            })
            .await?;
        Ok(sum)
    }
}

/// Shortest silence within a transaction after which the server ends it.
const LEAST_IDLE: Duration = Duration::from_secs(1);

/// Writes a prepared chunk in one transaction; `None` when another runner has taken it, and then nothing was written.
pub(super) async fn commit(work: &Work<'_>, prepared: Prepared, pace: &Mutex<Pace>) -> Result<Option<ChunkResult>> {
    let Prepared { lease, items, look, whole } = prepared;
    if work.foreign.is_none() {
        work.centred.get_or_try_init(|| centre(work, &items)).await?;
    }
    let mut result = ChunkResult { rows: items.len() as u64, look, ..ChunkResult::default() };
    for item in &items {
        result.source.add(item.source_digest);
    }
    let (settled, mut rest) = match work.foreign {
        None => (None, items),
        Some(foreign) => match foreign::hand_down(work, foreign, &lease, items, pace).await? {
            None => return Ok(None),
            settled => (settled, Vec::new()),
        },
    };
    let mut client = work.store.database().client().await?;
    let mut tx = client.transaction().await?;
    if !work.store.database().is_embedded() {
        // A process that is frozen in here keeps its rows locked; the server ends it when its lease would have run out, and
        // never for the time that a busy machine lets pass between two statements.
        let most = work.lease.as_millis().max(LEAST_IDLE.as_millis());
        tx.batch_execute(&format!("set local idle_in_transaction_session_timeout = {most}")).await?;
    }
    if !ledger::holds(&tx, &lease).await? {
        return Ok(None);
    }
    work.failpoints.pass(Point::AfterBegin).await?;
    let mut there = match settled {
        Some(settled) => foreign::record(work, &tx, settled, &mut result, lease.ordinal).await?,
        None => Vec::new(),
    };
    while !rest.is_empty() {
        let (now, after) = next_slice(work, rest, pace).await;
        there.extend(write::write(work, &mut tx, now, &mut result, lease.ordinal).await?);
        rest = after;
    }
    check_budget(work, &tx, &lease, result.rejected).await?;
    work.failpoints.pass(Point::AfterRows).await?;
    if let Some(mark) = &work.mark {
        mark.stamp_with_rows(&tx, work, &there).await?;
    }
    work.failpoints.pass(Point::AfterMark).await?;
    ledger::unprove(&tx, lease.run_id, result.written()).await?;
    if !ledger::finish_chunk(&tx, &lease, &result, whole).await? {
        return Ok(None);
    }
    work.failpoints.pass(Point::BeforeCommit).await?;
    tx.commit().await?;
    drop(client);
    work.failpoints.pass(Point::AfterCommit).await?;
    Ok(Some(result))
}

/// The rows that may be written now, after waiting for as long as the rate says, and the rest.
pub(super) async fn next_slice(work: &Work<'_>, mut rows: Vec<Item>, pace: &Mutex<Pace>) -> (Vec<Item>, Vec<Item>) {
    let (wait, after) = {
        let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
        if !pace.limits() {
            return (rows, Vec::new());
        }
        let slice = pace.slice(rows.iter().map(|item| item.bytes));
        let after = rows.split_off(slice);
        let bytes = rows.iter().map(|item| item.bytes).sum();
        (pace.take(work.began.elapsed(), slice as u64, bytes), after)
    };
    rest(work, wait).await;
    (rows, after)
}

/// Keeps to the rate, and says now and then that it does.
async fn rest(work: &Work<'_>, mut left: Duration) {
    while !left.is_zero() {
        if let Some(waits) = &work.waits {
            waits(None);
        }
        let now = left.min(LOOK);
        tokio::time::sleep(now).await;
        left -= now;
    }
}

/// Gives the models of these rows a centre before the first of them is written: without one every row has to be written again
/// when it gets one.
async fn centre(work: &Work<'_>, items: &[Item]) -> Result<()> {
    let mut models: BTreeMap<&str, Vec<&[f32]>> = BTreeMap::new();
    for (mapped, _) in items.iter().filter_map(|item| item.outcome.as_ref().ok()) {
        if let Some(vector) = &mapped.memory.embedding {
            models.entry(mapped.memory.embedding_model.as_deref().unwrap_or_default()).or_default().push(vector);
        }
    }
    for (model, vectors) in models {
        work.store.first_centre(model, &vectors).await?;
    }
    Ok(())
}

/// What a chunk that is done would come to again, when nothing changed at the source since and the store still has what
/// it was given; `None` when there is something to do. Reads only.
pub(super) async fn unchanged(
    work: &Work<'_>,
    chunk: &PlannedChunk,
    record: &ChunkRecord,
) -> Result<Option<ChunkResult>> {
    let (read, mut ids) = (work.reading(&chunk.range), Vec::new());
    let looks_the_same = match (&work.version, record.look) {
        (Some(version), Some(look)) => {
            let visit = &mut |key: &[String]| ids.push(work.mapper.program.id(key));
            look == source::versions(work.source, &read, version, &work.mapper.key, visit).await?
        }
        _ => false,
    };
    if !looks_the_same {
        // The same rows may have been written again.
        ids.clear();
        let values = work.values(&read, &mut |key| ids.push(work.mapper.program.id(key))).await?;
        if record.source != Some(values) {
            return Ok(None);
        }
    }
    if !nothing_lost(work, &ids).await? {
        return Ok(None);
    }
    let left = record.rejected + record.forgotten + record.conflicts;
    Ok(Some(ChunkResult {
        rows: record.rows,
        rejected: record.rejected,
        forgotten: record.forgotten,
        conflicts: record.conflicts,
        present: record.rows.saturating_sub(left),
        source: record.source.unwrap_or_default(),
        ..ChunkResult::default()
    }))
}

/// Whether the store still has every row of a chunk that it was given, or a tombstone of it. Reads only.
async fn nothing_lost(work: &Work<'_>, ids: &[Uuid]) -> Result<bool> {
    if work.foreign.is_some() {
        // What is gone over there is not brought back.
        return Ok(true);
    }
    let mut client = work.store.database().client().await?;
    let tx = client.transaction().await?;
    let lost = bulk::lost(&tx, ids).await?;
    tx.rollback().await?;
    Ok(lost.is_empty())
}

/// Deals again with a chunk that is done, or with some of its rows; `None` when another runner is at it.
pub(super) async fn again(
    work: &Work<'_>,
    chunk: &PlannedChunk,
    only: Only<'_>,
    pace: &Mutex<Pace>,
) -> Result<Option<ChunkResult>> {
    let lease = {
        let client = work.store.database().client().await?;
        ledger::claim(&client, work.plan.run_id, work.runner, work.lease, Some(chunk.ordinal)).await?
    };
    let Some(lease) = lease else { return Ok(None) };
    let prepared = prepare(work, lease, only).await?;
    commit(work, prepared, pace).await
}

impl Mapper {
    fn map_all(&self, rows: Vec<(SourceRow, usize)>) -> Vec<Item> {
        let mut buffer = Vec::new();
        rows.into_iter().map(|(row, bytes)| self.map(row, bytes as u64, &mut buffer)).collect()
    }
}

/// Refuses before the commit, so that nothing of a chunk over the budget is kept.
pub(super) async fn check_budget(
    work: &Work<'_>,
    tx: &deadpool_postgres::Transaction<'_>,
    lease: &Lease,
    rejected: u64,
) -> Result<()> {
    if rejected == 0 {
        return Ok(());
    }
    let rejected = rejected + ledger::rejected_elsewhere(tx, lease.run_id, lease.ordinal).await?;
    let allowed = work.budget.rows_of(work.plan.counts.rows);
    if rejected <= allowed {
        return Ok(());
    }
    Err(MigrateError::Refused {
        what: format!("{rejected} rows would be set aside, the budget of the file allows {allowed}"),
        cure: "mend the file or the rows, or raise [reject] budget, and make a new plan".into(),
    })
}
