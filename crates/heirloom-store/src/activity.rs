//! The line each write leaves in `heirloom.activity`: who did what to which memory, and the sha256 of its content, never
//! the content. It commits with the write or not at all.

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_postgres::Transaction;
use uuid::Uuid;

use crate::error::Result;
use crate::scope::Scope;

/// One line, written inside the transaction of what it records.
pub(crate) struct Line<'a> {
    /// `remember`, `revise`, `forget` or `transition`.
    pub(crate) action: &'static str,
    /// Where the memory lives.
    pub(crate) namespace: &'a str,
    /// Which memory.
    pub(crate) id: Uuid,
    /// The content after the act, or before it was forgotten; only its digest is kept.
    pub(crate) content: Option<&'a str>,
    /// Numbers and words of closed lists; no content.
    pub(crate) details: Option<Value>,
}

pub(crate) async fn record(tx: &Transaction<'_>, scope: &Scope, line: Line<'_>) -> Result<()> {
    let sha256 = line.content.map(|content| Sha256::digest(content).to_vec());
    tx.execute(
        include_str!("../sql/queries/activity.sql"),
        &[&scope.actor(), &line.action, &line.namespace, &line.id, &sha256, &line.details],
    )
    .await?;
    Ok(())
}

/// A line about the store itself, which no namespace reads: who may come in, who is whose parent. Written by the owner's
/// transaction, which becomes the serving role for it.
pub(crate) async fn note(tx: &Transaction<'_>, action: &'static str, details: Value) -> Result<()> {
    tx.batch_execute("set local role heirloom_serve").await?;
    let (nobody, nothing) = (None::<&str>, None::<Vec<u8>>);
    tx.execute(
        include_str!("../sql/queries/activity.sql"),
        &[&nobody, &action, &nobody, &None::<Uuid>, &nothing, &details],
    )
    .await?;
    tx.batch_execute("set local role none").await?;
    Ok(())
}
