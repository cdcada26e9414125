//! The line each write leaves in `heirloom.activity`: who did what to which memory, and the sha256 of its content, never
//! the content. It commits with the write or not at all.

use deadpool_postgres::Transaction;
use heirloom_engine::Cached;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Result;
use crate::identity::Identity;
use crate::schema::SERVE_ROLE;
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
    tx.execute_cached(
        include_str!("../sql/queries/activity.sql"),
        &[&scope.actor(), &line.action, &line.namespace, &line.id, &sha256, &line.details],
    )
    .await?;
    Ok(())
}

/// A line about the store itself, which no namespace reads: who may come in, who is whose parent.
pub(crate) async fn note(tx: &Transaction<'_>, action: &'static str, details: Value) -> Result<()> {
    add(tx, action, None, details).await
}

/// A line about a step of a migration, written by the transaction that takes it. `namespace` is given where the whole
/// migration goes to one, whose readers see it; a line about several is the audit's. Details hold ids and words of closed
/// lists, never content.
///
/// # Errors
/// When the database refuses, as it does a role that may not become the serving one.
pub async fn migration(tx: &Transaction<'_>, namespace: Option<&str>, details: Value) -> Result<()> {
    add(tx, "migrate", namespace, details).await
}

/// Adds a line as the serving role, which the caller's transaction becomes for it.
async fn add(tx: &Transaction<'_>, action: &'static str, namespace: Option<&str>, details: Value) -> Result<()> {
    let identity = Identity::take(tx, SERVE_ROLE).await?;
    if let Some(namespace) = namespace {
        identity.see(tx, namespace).await?;
    }
    let (nobody, nothing) = (None::<&str>, None::<Vec<u8>>);
    tx.execute_cached(
        include_str!("../sql/queries/activity.sql"),
        &[&nobody, &action, &namespace, &None::<Uuid>, &nothing, &details],
    )
    .await?;
    identity.give_back(tx).await
}
