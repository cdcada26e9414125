//! One chunk: read and map without a connection, then everything in one transaction.

use std::collections::HashSet;

use heirloom_store::bulk;
use uuid::Uuid;

use super::{Work, write};
use crate::canon;
use crate::digest::Digest;
use crate::error::{MigrateError, Result};
use crate::ledger::{self, ChunkRecord, ChunkResult};
use crate::mapping::{Mapped, Reject, RejectCode};
use crate::plan::PlannedChunk;
use crate::source::{Read, verbatim};
use crate::value::SourceRow;

/// A source row on its way.
pub(super) struct Item {
    /// Source key.
    pub(super) key: Vec<String>,
    /// The id it has, or would have.
    pub(super) id: Uuid,
    /// The row verbatim, every column.
    pub(super) row: String,
    /// Digest of `row`.
    pub(super) source_digest: Digest,
    /// The memory with its digest, or why it is set aside.
    pub(super) outcome: std::result::Result<(Mapped, Digest), Reject>,
}

/// Hands one chunk down, or finds that nothing is left to do.
pub(super) async fn apply(
    work: &Work<'_>,
    chunk: &PlannedChunk,
    record: &ChunkRecord,
    rejected_before: u64,
) -> Result<ChunkResult> {
    let items = read(work, chunk).await?;
    let mut result = ChunkResult { rows: items.len() as u64, ..ChunkResult::default() };
    for item in &items {
        result.source.add(item.source_digest);
    }
    if record.done && record.source == Some(result.source) && nothing_lost(work, &items).await? {
        // Nothing changed at the source since this chunk was done, and the store still has what it was given, so
        // nothing is written, not even here.
        (result.rejected, result.forgotten, result.conflicts) = (record.rejected, record.forgotten, record.conflicts);
        result.present = record.rows.saturating_sub(record.rejected + record.forgotten + record.conflicts);
        return Ok(result);
    }
    let mut client = work.store.database().client().await?;
    let mut tx = client.transaction().await?;
    ledger::lock_chunk(&tx, work.plan.run_id, chunk.ordinal).await?;
    let there = write::write(work, &mut tx, items, &mut result, chunk.ordinal).await?;
    check_budget(work, rejected_before + result.rejected)?;
    if let Some(mark) = &work.mark {
        mark.stamp_with_rows(&tx, work, &there).await?;
    }
    ledger::finish_chunk(&tx, work.plan.run_id, chunk.ordinal, &result).await?;
    tx.commit().await?;
    Ok(result)
}

/// Whether the store still has every row of a chunk that it was given, or a tombstone of it. Reads only.
async fn nothing_lost(work: &Work<'_>, items: &[Item]) -> Result<bool> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    let mut client = work.store.database().client().await?;
    let tx = client.transaction().await?;
    let lost = bulk::lost(&tx, &ids).await?;
    tx.rollback().await?;
    Ok(lost.is_empty())
}

/// Reads and maps a chunk. The connection of the source is released before this returns.
async fn read(work: &Work<'_>, chunk: &PlannedChunk) -> Result<Vec<Item>> {
    let read = Read {
        relation: work.plan.source.relation.clone(),
        table: work.plan.source.table.clone(),
        key: work.plan.source.key.clone(),
        expressions: work.program.expressions().to_vec(),
        range: chunk.range.clone(),
    };
    let mut items: Vec<Item> = Vec::with_capacity(usize::try_from(chunk.rows).unwrap_or(0));
    let mut seen = HashSet::new();
    work.source
        .scan(&read, &mut |row, _bytes| {
            let mut item = map(work, row);
            if !seen.insert(item.id) {
                item.outcome = Err(Reject {
                    code: RejectCode::DuplicateKey,
                    field: None,
                    column: None,
                    message: "a row before it has the same key".into(),
                });
            }
            items.push(item);
            Ok(())
        })
        .await?;
    Ok(items)
}

/// Maps one row and takes its digests.
pub(super) fn map(work: &Work<'_>, row: SourceRow) -> Item {
    let verbatim = verbatim::row(&work.plan.source.table, &work.program.clean(&row));
    let source_digest = work.key.digest(verbatim.as_bytes());
    let outcome = work.program.map(&row).and_then(|mapped| {
        if work.allowed.binary_search(&mapped.memory.namespace).is_err() {
            return Err(Reject {
                code: RejectCode::NamespaceNotPlanned,
                field: Some("namespace".into()),
                column: None,
                message: "the namespace is not among those the plan announced; make a new plan to admit it".into(),
            });
        }
        let digest = work.key.digest(&canon::memory(&mapped.memory, work.store.meta().dimension));
        Ok((mapped, digest))
    });
    let id = match &outcome {
        Ok((mapped, _)) => mapped.memory.id,
        Err(_) => work.program.id(&row.key),
    };
    Item { key: row.key, id, row: verbatim, source_digest, outcome }
}

/// Refuses before the commit, so that nothing of a chunk over the budget is kept.
fn check_budget(work: &Work<'_>, rejected: u64) -> Result<()> {
    let allowed = work.budget.rows_of(work.plan.counts.rows);
    if rejected <= allowed {
        return Ok(());
    }
    Err(MigrateError::Refused {
        what: format!("{rejected} rows would be set aside, the budget of the file allows {allowed}"),
        cure: "mend the file or the rows, or raise [reject] budget, and make a new plan".into(),
    })
}
