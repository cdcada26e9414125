//! The target's rows as they are, for comparison: read as the audit role, framed by this room's own decoder.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use futures_util::{StreamExt, pin_mut};
use heirloom_store::Identity;
use tokio_postgres::Row;
use uuid::Uuid;

use super::wire::{self, Raw};
use crate::batch::Batches;
use crate::canon::FIELDS;
use crate::digest::{Digest, Key};
use crate::error::{MigrateError, Result};
use crate::frames::Frames;

/// A memory as the target holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Its id.
    pub id: Uuid,
    /// Its namespace, in clear.
    pub namespace: String,
    /// One frame a field of [`FIELDS`].
    pub frames: Frames,
    /// Whether an origin row says it was handed down.
    pub origin: Option<TargetOrigin>,
    /// Whether a revision of it was kept: it was edited since.
    pub revised: bool,
    /// Whether a transition of its state was recorded.
    pub moved: bool,
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
        key.digest(self.frames.bytes())
    }
}

/// Reads these ids in whatever namespace they are. The caller's transaction keeps its own role afterwards.
pub async fn rows(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<Vec<TargetRow>> {
    each(tx, ids, |row| row).await
}

/// What `take` makes of these rows, on other threads than the one that reads them.
pub(super) async fn each<R: Send + 'static>(
    tx: &Transaction<'_>,
    ids: &[Uuid],
    take: impl Fn(TargetRow) -> R + Send + Sync + 'static,
) -> Result<Vec<R>> {
    let identity = Identity::audit(tx).await?;
    let fields: Vec<String> = FIELDS.iter().map(|field| format!("m.{field}")).collect();
    let sql = format!(
        "select m.id, m.namespace, o.source, o.source_digest, o.written_digest, \
         exists (select from heirloom.revision r where r.namespace = m.namespace and r.memory_id = m.id), \
         exists (select from heirloom.state_transition t where t.namespace = m.namespace and t.memory_id = m.id), \
         {} from heirloom.memory m \
         left join heirloom.origin o on o.namespace = m.namespace and o.id = m.id \
         where m.id = any ($1)",
        fields.join(", ")
    );
    let stream = tx.query_raw(&tx.prepare_cached(&sql).await?, [ids]).await?;
    pin_mut!(stream);
    let (mut batches, worked) =
        Batches::new(move |rows: Vec<Row>| rows.iter().map(|there| row(there).map(&take)).collect());
    while let Some(there) = stream.next().await {
        batches.push(there?);
    }
    batches.end();
    let rows: Vec<Result<R>> = worked.all().await?;
    identity.give_back(tx).await?;
    rows.into_iter().collect()
}

/// Digests of these ids under `key`, for telling whether the store still holds what was written.
pub async fn digests(tx: &Transaction<'_>, ids: &[Uuid], key: &Key) -> Result<HashMap<Uuid, Digest>> {
    let key = key.clone();
    Ok(each(tx, ids, move |row| (row.id, row.digest(&key))).await?.into_iter().collect())
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
    let mut frames = Frames::with_capacity(FIELDS.len(), row.raw_size_bytes());
    for (i, field) in FIELDS.iter().enumerate() {
        frames.add(|out| frame(out, row, BEFORE + i, i)).ok_or_else(|| {
            MigrateError::Ledger(format!("column {field} of memory {id} cannot be read as what it should be"))
        })?;
    }
    Ok(TargetRow { id, namespace: row.try_get(1)?, frames, origin, revised: row.try_get(5)?, moved: row.try_get(6)? })
}

/// The frame of a column that holds the field of this number; `None` when it holds what no such field can be.
pub(crate) fn framed(row: &Row, column: usize, field: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    frame(&mut out, row, column, field)?;
    Some(out)
}

fn frame(out: &mut Vec<u8>, row: &Row, column: usize, field: usize) -> Option<()> {
    let raw: Option<Raw<'_>> = row.try_get(column).ok()?;
    let number = u8::try_from(field).ok()?;
    wire::frame(out, number, row.columns().get(column)?.type_(), raw.map(|raw| raw.0))
}

fn bytes16(row: &Row, column: usize) -> Result<[u8; 16]> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| MigrateError::Ledger("a digest is not 16 bytes long".into()))
}
