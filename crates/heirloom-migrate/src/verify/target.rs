//! The target's rows as they are, for comparison: read as the audit role, framed by this room's own decoder.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use uuid::Uuid;

use super::wire::{self, Raw};
use crate::canon::FIELDS;
use crate::digest::{Digest, Key};
use crate::error::{MigrateError, Result};
use crate::role;

/// A memory as the target holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Its id.
    pub id: Uuid,
    /// Its namespace, in clear.
    pub namespace: String,
    /// One frame a field of [`FIELDS`].
    pub frames: Vec<Vec<u8>>,
    /// Whether an origin row says it was handed down.
    pub origin: Option<TargetOrigin>,
    /// Edited since: version above 1 or revisions kept.
    pub revisions: i64,
    /// Transitions of state recorded.
    pub transitions: i64,
}

/// What `heirloom.origin` says of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetOrigin {
    /// The source (see [`crate::plan::Plan::origin_source`]).
    pub source: String,
    /// Digest of the source row when it was handed down.
    pub source_digest: [u8; 16],
    /// Digest of the memory as it was written.
    pub written_digest: [u8; 16],
}

impl TargetRow {
    /// The digest of the whole row.
    pub fn digest(&self, key: &Key) -> Digest {
        key.digest(&self.frames.concat())
    }
}

/// Reads these ids in whatever namespace they are. The caller's transaction keeps its own role afterwards.
pub async fn rows(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<Vec<TargetRow>> {
    role::as_audit(tx).await?;
    let fields: Vec<String> = FIELDS.iter().map(|field| format!("m.{field}")).collect();
    let sql = format!(
        "select m.id, m.namespace, o.source, o.source_digest, o.written_digest, \
         (select count(*) from heirloom.revision r where r.namespace = m.namespace and r.memory_id = m.id), \
         (select count(*) from heirloom.state_transition t where t.namespace = m.namespace and t.memory_id = m.id), \
         {} from heirloom.memory m \
         left join heirloom.origin o on o.namespace = m.namespace and o.id = m.id \
         where m.id = any ($1)",
        fields.join(", ")
    );
    let rows = tx.query(&sql, &[&ids]).await?;
    role::as_self(tx).await?;
    rows.iter().map(row).collect()
}

/// Digests of these ids under `key`, for telling whether the store still holds what was written.
pub async fn digests(tx: &Transaction<'_>, ids: &[Uuid], key: &Key) -> Result<HashMap<Uuid, Digest>> {
    Ok(rows(tx, ids).await?.into_iter().map(|row| (row.id, row.digest(key))).collect())
}

fn row(row: &Row) -> Result<TargetRow> {
    const BEFORE: usize = 7;
    let id: Uuid = row.try_get(0)?;
    let source: Option<String> = row.try_get(2)?;
    let origin = match source {
        None => None,
        Some(source) => {
            Some(TargetOrigin { source, source_digest: bytes16(row, 3)?, written_digest: bytes16(row, 4)? })
        }
    };
    let frames = FIELDS
        .iter()
        .enumerate()
        .map(|(i, field)| {
            framed(row, BEFORE + i, i).ok_or_else(|| {
                MigrateError::Ledger(format!("column {field} of memory {id} cannot be read as what it should be"))
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(TargetRow {
        id,
        namespace: row.try_get(1)?,
        frames,
        origin,
        revisions: row.try_get(5)?,
        transitions: row.try_get(6)?,
    })
}

/// The frame of a column that holds the field of this number; `None` when it holds what no such field can be.
pub(crate) fn framed(row: &Row, column: usize, field: usize) -> Option<Vec<u8>> {
    let raw: Option<Raw<'_>> = row.try_get(column).ok()?;
    let number = u8::try_from(field).ok()?;
    wire::frame(number, row.columns().get(column)?.type_(), raw.map(|raw| raw.0))
}

fn bytes16(row: &Row, column: usize) -> Result<[u8; 16]> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| MigrateError::Ledger("a digest is not 16 bytes long".into()))
}
