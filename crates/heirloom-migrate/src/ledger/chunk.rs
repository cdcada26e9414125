//! The chunk rows of a run.

use deadpool_postgres::{GenericClient, Transaction};
use heirloom_engine::Cached;
use uuid::Uuid;

use super::lease::Lease;
use crate::digest::DigestSum;
use crate::error::{MigrateError, Result};

/// A chunk as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkRecord {
    /// From 0.
    pub ordinal: u32,
    /// Whether its rows are in the store.
    pub done: bool,
    /// Rows read when it was done.
    pub rows: u64,
    /// Rows set aside when it was done.
    pub rejected: u64,
    /// Rows left forgotten when it was done.
    pub forgotten: u64,
    /// Rows left as the store had them because both sides had changed.
    pub conflicts: u64,
    /// Count and digest sum of its source rows when it was done.
    pub source: Option<DigestSum>,
    /// Count and sum over the versions of its source rows when it was done; `None` where that is not known.
    pub look: Option<DigestSum>,
}

/// What one pass over a chunk did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChunkResult {
    /// Rows read.
    pub rows: u64,
    /// Rows written that were not there.
    pub inserted: u64,
    /// Rows overwritten because the source changed and the store had not.
    pub updated: u64,
    /// Rows handed down again because the store had lost them.
    pub restored: u64,
    /// Rows that were there and stay as they are.
    pub present: u64,
    /// Rows forgotten in the store before.
    pub forgotten: u64,
    /// Rows changed on both sides; the store's edit stays.
    pub conflicts: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Count and digest sum of the source rows.
    pub source: DigestSum,
    /// Count and sum over the versions of the source rows, where the source keeps any.
    pub look: Option<DigestSum>,
    /// Count and digest sum of the memories as they were mapped.
    pub expected: DigestSum,
}

impl ChunkResult {
    /// Rows written.
    pub fn written(&self) -> u64 {
        self.inserted + self.updated + self.restored
    }
}

const FINISH: &str = include_str!("../../sql/queries/finish_chunk.sql");
const SELECT: &str = "select ordinal, state = 'done', rows, rejected, source_sum, forgotten, conflicts, source_look from heirloom_migrate.chunk";

/// All chunks of a run in their order.
pub async fn chunks(client: &impl GenericClient, run_id: Uuid) -> Result<Vec<ChunkRecord>> {
    let rows = client.query_cached(&format!("{SELECT} where run_id = $1 order by ordinal"), &[&run_id]).await?;
    rows.iter().map(record).collect()
}

/// Locks a chunk until the end of the transaction, so that two runners cannot both write it.
///
/// # Errors
/// [`MigrateError::Ledger`] when the run has no such chunk.
pub async fn lock_chunk(tx: &Transaction<'_>, run_id: Uuid, ordinal: u32) -> Result<ChunkRecord> {
    let number = ordinal_sql(ordinal)?;
    let row = tx
        .query_opt(&format!("{SELECT} where run_id = $1 and ordinal = $2 for update"), &[&run_id, &number])
        .await?
        .ok_or_else(|| MigrateError::Ledger(format!("run {run_id} has no chunk {ordinal}")))?;
    record(&row)
}

/// Records a chunk as done and gives its lease back. The caller commits it with the rows; `false` says that another runner
/// has taken the chunk, so that nothing may be committed. Where it was not read `whole`, what was written is added, what is
/// counted of its source stays, and how that looked is not known any more.
pub async fn finish_chunk(tx: &Transaction<'_>, lease: &Lease, result: &ChunkResult, whole: bool) -> Result<bool> {
    let number = ordinal_sql(lease.ordinal)?;
    let [inserted, updated, restored] = [result.inserted, result.updated, result.restored].map(count_sql);
    let [rows, present, forgotten, conflicts, rejected] =
        [result.rows, result.present, result.forgotten, result.conflicts, result.rejected]
            .map(|count| whole.then(|| count_sql(count)));
    let sum = |of: DigestSum| whole.then(|| of.sum_bytes().to_vec());
    let (source, expected, look) = (sum(result.source), sum(result.expected), result.look.and_then(sum));
    let changed = tx
        .execute_cached(
            FINISH,
            &[
                &lease.run_id,
                &number,
                &rows,
                &inserted,
                &updated,
                &present,
                &forgotten,
                &conflicts,
                &rejected,
                &source,
                &expected,
                &restored,
                &lease.fence,
                &look,
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Rows that all other chunks of the run have set aside. Chunks that set rows aside take turns from here to the end of
/// their transactions, so that two of them cannot pass a budget together that each passes alone.
pub async fn rejected_elsewhere(tx: &Transaction<'_>, run_id: Uuid, ordinal: u32) -> Result<u64> {
    tx.execute("select from heirloom_migrate.run where run_id = $1 for no key update", &[&run_id]).await?;
    let sql = include_str!("../../sql/queries/rejected_elsewhere.sql");
    Ok(unsigned(tx.query_one(sql, &[&run_id, &ordinal_sql(ordinal)?]).await?.try_get(0)?))
}

/// Counts rows of a done chunk anew that were set aside and are in the store now. What the store left as it was stays
/// open, and stays counted as set aside. The caller commits it with the rows.
pub async fn retried_chunk(tx: &Transaction<'_>, run_id: Uuid, ordinal: u32, result: &ChunkResult) -> Result<()> {
    let number = ordinal_sql(ordinal)?;
    let [inserted, updated, present, restored] =
        [result.inserted, result.updated, result.present, result.restored].map(count_sql);
    if inserted + updated + present + restored == 0 {
        return Ok(());
    }
    tx.execute(
        "update heirloom_migrate.chunk set inserted = inserted + $3, updated = updated + $4, present = present + $5, \
         restored = restored + $6, rejected = greatest(rejected - $3 - $4 - $5 - $6, 0) where run_id = $1 and ordinal = $2",
        &[&run_id, &number, &inserted, &updated, &present, &restored],
    )
    .await?;
    Ok(())
}

fn record(row: &tokio_postgres::Row) -> Result<ChunkRecord> {
    let rows = unsigned(row.try_get(2)?);
    let sum = |at: usize| -> Result<Option<DigestSum>> {
        let bytes: Option<&[u8]> = row.try_get(at)?;
        bytes
            .map(|bytes| {
                <[u8; 16]>::try_from(bytes)
                    .map(|bytes| DigestSum { count: rows, sum: u128::from_be_bytes(bytes) })
                    .map_err(|_| MigrateError::Ledger("a digest sum is not 16 bytes long".into()))
            })
            .transpose()
    };
    let ordinal: i32 = row.try_get(0)?;
    Ok(ChunkRecord {
        ordinal: u32::try_from(ordinal).unwrap_or_default(),
        done: row.try_get(1)?,
        rows,
        rejected: unsigned(row.try_get(3)?),
        forgotten: unsigned(row.try_get(5)?),
        conflicts: unsigned(row.try_get(6)?),
        source: sum(4)?,
        look: sum(7)?,
    })
}

pub(super) fn ordinal_sql(ordinal: u32) -> Result<i32> {
    i32::try_from(ordinal)
        .map_err(|_| MigrateError::Ledger(format!("chunk {ordinal} is beyond what the ledger counts")))
}

pub(super) fn count_sql(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
