//! Which of the planned ids the store knows already or has forgotten. Asked in batches, reading only.

use std::collections::HashSet;

use heirloom_engine::{Cached, Database};
use heirloom_store::bulk;
use uuid::Uuid;

use super::{Counts, NamespaceCount, Progress};
use crate::error::Result;

/// Ids a question.
const BATCH: usize = 5_000;

/// Those of these namespaces that have indexes of their own.
pub(crate) async fn indexed(database: &Database, namespaces: &[NamespaceCount]) -> Result<HashSet<String>> {
    let names: Vec<&str> = namespaces.iter().map(|one| one.namespace.as_str()).collect();
    let client = database.client().await?;
    let rows = client.query_cached(include_str!("../../sql/queries/plan_indexed.sql"), &[&names]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Counts ids that this source handed down already, ids that somebody else has, and ids that were forgotten. Holds one connection, and the source none.
pub(crate) async fn count(
    database: &Database,
    ids: &[Uuid],
    source: &str,
    counts: &mut Counts,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<()> {
    let mut client = database.client().await?;
    let transaction = client.build_transaction().read_only(true).start().await?;
    for (at, batch) in ids.chunks(BATCH).enumerate() {
        let known = bulk::known(&transaction, batch).await?;
        counts.present += known.values().filter(|known| known.source == source).count() as u64;
        counts.taken += bulk::taken(&transaction, batch, source).await?;
        counts.forgotten += bulk::forgotten(&transaction, batch).await?.len() as u64;
        progress(Progress::Asking { done: (at * BATCH + batch.len()) as u64, of: ids.len() as u64 });
    }
    transaction.rollback().await?;
    Ok(())
}
