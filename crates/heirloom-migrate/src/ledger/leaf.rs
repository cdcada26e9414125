//! Leaves of a soak: what each chunk looked like when a sweep last found it clean.

use std::collections::HashMap;

use deadpool_postgres::{GenericClient, Transaction};
use jiff::Timestamp;
use uuid::Uuid;

use super::chunk::{count_sql, ordinal_sql, unsigned};
use crate::digest::DigestSum;
use crate::error::{MigrateError, Result};

/// A leaf.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Count and sum over the versions of the source's rows.
    pub source: DigestSum,
    /// Rows of the store with the ids of the chunk.
    pub target_rows: u64,
    /// Sum over their versions, as the database adds it up.
    pub target_mark: String,
    /// What the comparison found, as the sweep wrote it.
    pub verdict: serde_json::Value,
}

const PUT: &str = include_str!("../../sql/queries/put_leaf.sql");

/// The leaves of a run, by chunk.
pub async fn leaves(client: &impl GenericClient, run_id: Uuid) -> Result<HashMap<u32, Leaf>> {
    let sql = "select ordinal, source_rows, source_mark, target_rows, target_mark, verdict from heirloom_migrate.leaf \
               where run_id = $1";
    client
        .query(sql, &[&run_id])
        .await?
        .iter()
        .map(|row| {
            let mark: Vec<u8> = row.try_get(2)?;
            let mark = <[u8; 16]>::try_from(mark.as_slice())
                .map_err(|_| MigrateError::Ledger("the mark of a leaf is not 16 bytes long".into()))?;
            let source = DigestSum { count: unsigned(row.try_get(1)?), sum: u128::from_be_bytes(mark) };
            let leaf = Leaf {
                source,
                target_rows: unsigned(row.try_get(3)?),
                target_mark: row.try_get(4)?,
                verdict: row.try_get(5)?,
            };
            Ok((u32::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default(), leaf))
        })
        .collect()
}

/// Writes the leaf of a chunk that was found clean.
pub async fn put_leaf(tx: &Transaction<'_>, run_id: Uuid, ordinal: u32, at: Timestamp, leaf: &Leaf) -> Result<()> {
    let ordinal = ordinal_sql(ordinal)?;
    let (source_rows, target_rows) = (count_sql(leaf.source.count), count_sql(leaf.target_rows));
    let mark = leaf.source.sum_bytes();
    tx.execute(
        PUT,
        &[&run_id, &ordinal, &at, &source_rows, &mark.as_slice(), &target_rows, &leaf.target_mark, &leaf.verdict],
    )
    .await?;
    Ok(())
}

/// Takes the leaf of a chunk away, so that the next sweep reads it again.
pub async fn drop_leaf(tx: &Transaction<'_>, run_id: Uuid, ordinal: u32) -> Result<()> {
    let sql = "delete from heirloom_migrate.leaf where run_id = $1 and ordinal = $2";
    tx.execute(sql, &[&run_id, &ordinal_sql(ordinal)?]).await?;
    Ok(())
}
