//! What was handed down into a target that is no store: its `heirloom.origin`, as it were.

use std::collections::HashMap;

use deadpool_postgres::{GenericClient, Transaction};
use futures_util::{StreamExt, pin_mut};
use uuid::Uuid;

use super::chunk::unsigned;
use super::reject::{key_parts, key_text};
use crate::digest::Digest;
use crate::error::{MigrateError, Result};

const PUT: &str = include_str!("../../sql/queries/put_delivered.sql");

/// A row as it was handed down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Digest of the source row then.
    pub source_digest: [u8; 16],
    /// Digest of what was written, over the fields that the target leaves alone.
    pub written_digest: [u8; 16],
}

/// A row to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivered {
    /// Its id.
    pub id: Uuid,
    /// Its key.
    pub key: Vec<String>,
    /// Digest of the source row.
    pub source_digest: Digest,
    /// Digest of what was written.
    pub written_digest: Digest,
}

/// What was handed down under these ids.
pub async fn delivered(client: &impl GenericClient, source: &str, ids: &[Uuid]) -> Result<HashMap<Uuid, Delivered>> {
    let sql =
        "select id, source_digest, written_digest from heirloom_migrate.delivered where source = $1 and id = any ($2)";
    let rows = client.query(sql, &[&source, &ids]).await?;
    let digest = |bytes: &[u8]| {
        <[u8; 16]>::try_from(bytes).map_err(|_| MigrateError::Ledger("a digest is not 16 bytes long".into()))
    };
    rows.iter()
        .map(|row| {
            let one = Delivered { source_digest: digest(row.try_get(1)?)?, written_digest: digest(row.try_get(2)?)? };
            Ok((row.try_get(0)?, one))
        })
        .collect()
}

/// Records rows, in the transaction that marks their chunk done.
pub async fn put_delivered(tx: &Transaction<'_>, run_id: Uuid, source: &str, rows: &[NewDelivered]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let keys = rows.iter().map(|row| key_text(&row.key)).collect::<Result<Vec<_>>>()?;
    let from: Vec<&[u8]> = rows.iter().map(|row| row.source_digest.0.as_slice()).collect();
    let written: Vec<&[u8]> = rows.iter().map(|row| row.written_digest.0.as_slice()).collect();
    tx.execute(PUT, &[&run_id, &source, &ids, &keys, &from, &written]).await?;
    Ok(())
}

/// Calls `visit` with each id that was handed down from a source, in their order.
pub async fn each_delivered(
    client: &impl GenericClient,
    source: &str,
    visit: &mut (dyn FnMut(Uuid) + Send),
) -> Result<()> {
    let sql = "select id from heirloom_migrate.delivered where source = $1 order by id";
    let stream = client.query_raw(sql, [source]).await?;
    pin_mut!(stream);
    while let Some(row) = stream.next().await {
        visit(row?.try_get(0)?);
    }
    Ok(())
}

/// The keys of those of these ids that were handed down from a source.
pub async fn delivered_keys(
    client: &impl GenericClient,
    source: &str,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Vec<String>)>> {
    let sql = "select id, source_key from heirloom_migrate.delivered where source = $1 and id = any ($2) order by id";
    let rows = client.query(sql, &[&source, &ids]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, key_parts(row.try_get(1)?)?))).collect()
}

/// How many of a source were handed down.
pub async fn delivered_count(client: &impl GenericClient, source: &str) -> Result<u64> {
    let row = client.query_one("select count(*) from heirloom_migrate.delivered where source = $1", &[&source]).await?;
    Ok(unsigned(row.try_get(0)?))
}
