//! One memory against the record of what was written when it was handed down. Reads only.
//!
//! The same decoder and key as [`super::recorded`]: the two cannot disagree.

use heirloom_store::Store;
use serde::Serialize;
use uuid::Uuid;

use super::target;
use crate::digest::Key;
use crate::error::Result;

/// How a memory stands to what was handed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Every field is as it was written.
    AsWritten,
    /// Edited since; the store kept what it said before.
    Edited,
    /// Moved to another state since; the store recorded the step.
    Transitioned,
    /// Different, and no record says why.
    Altered,
    /// Gone.
    Missing,
}

/// How the memory of this id and namespace stands to the digest of what was written.
///
/// # Errors
/// When the database cannot be asked.
pub async fn standing(store: &Store, namespace: &str, id: Uuid, written: &[u8; 16]) -> Result<Standing> {
    let key = Key::of_store(store.meta().store_id);
    let mut client = store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let rows = target::rows(&tx, &[id]).await?;
    Ok(match rows.iter().find(|row| row.namespace == namespace) {
        None => Standing::Missing,
        Some(row) if row.digest(&key).0 == *written => Standing::AsWritten,
        Some(row) if row.revised => Standing::Edited,
        Some(row) if row.moved => Standing::Transitioned,
        Some(_) => Standing::Altered,
    })
}
