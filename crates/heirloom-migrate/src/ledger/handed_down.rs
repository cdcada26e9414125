//! What of a source the store holds, from `heirloom.origin`, read as the audit role. Nothing here is held whole: a source may
//! have any number of rows.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use futures_util::{Stream, StreamExt, pin_mut};
use heirloom_store::Identity;
use tokio_postgres::Row;
use uuid::Uuid;

use super::chunk::unsigned;
use super::reject::key_parts;
use crate::error::Result;

/// How many keys of a source the store holds.
pub async fn handed_down_count(tx: &Transaction<'_>, source: &str) -> Result<u64> {
    let identity = Identity::audit(tx).await?;
    let row = tx.query_one("select count(*) from heirloom.origin where source = $1", &[&source]).await?;
    identity.give_back(tx).await?;
    Ok(unsigned(row.try_get(0)?))
}

/// Which of these ids of a source the store holds, with their namespaces.
pub async fn handed_down_of(tx: &Transaction<'_>, source: &str, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let identity = Identity::audit(tx).await?;
    let rows = tx.query(include_str!("../../sql/queries/handed_down_of.sql"), &[&source, &ids]).await?;
    identity.give_back(tx).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Calls `visit` with each id of a source that the store holds, in a stretch of all ids and in their order.
pub async fn handed_down_between(
    tx: &Transaction<'_>,
    source: &str,
    first: Uuid,
    last: Uuid,
    visit: &mut (dyn FnMut(Uuid) + Send),
) -> Result<()> {
    let identity = Identity::audit(tx).await?;
    let sql = include_str!("../../sql/queries/handed_down_between.sql");
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&source, &first, &last];
    let stream = tx.query_raw(&tx.prepare_cached(sql).await?, parameters).await?;
    pin_mut!(stream);
    while let Some(row) = stream.next().await {
        visit(row?.try_get(0)?);
    }
    identity.give_back(tx).await?;
    Ok(())
}

/// The keys of a source that the store holds, one after the other; of what was delivered to a target that is no store where
/// `foreign`. The transaction stays the audit's.
pub async fn handed_down_keys(
    tx: &Transaction<'_>,
    source: &str,
    foreign: bool,
) -> Result<impl Stream<Item = Result<Vec<String>>>> {
    let from = if foreign { "heirloom_migrate.delivered" } else { "heirloom.origin" };
    // The ledger is not the audit's to read.
    if !foreign {
        Identity::audit(tx).await?;
    }
    let stream = tx.query_raw(&format!("select source_key from {from} where source = $1"), [source]).await?;
    Ok(stream.map(|row| key_parts(row?.try_get(0)?)))
}

/// Of these ids those of which there is no record that they were handed down, and whether they were forgotten since.
pub async fn unrecorded(tx: &Transaction<'_>, source: &str, foreign: bool, ids: &[Uuid]) -> Result<Vec<(Uuid, bool)>> {
    if foreign {
        let known = super::delivered(tx, source, ids).await?;
        return Ok(ids.iter().filter(|id| !known.contains_key(id)).map(|id| (*id, false)).collect());
    }
    let identity = Identity::audit(tx).await?;
    let known = ids_of(tx.query(include_str!("../../sql/queries/origin_of.sql"), &[&source, &ids]).await?)?;
    let without: Vec<Uuid> = ids.iter().copied().filter(|id| !known.contains(id)).collect();
    let forgotten = match without.is_empty() {
        true => HashSet::new(),
        false => ids_of(tx.query("select id from heirloom.tombstone where id = any ($1)", &[&without]).await?)?,
    };
    identity.give_back(tx).await?;
    Ok(without.into_iter().map(|id| (id, forgotten.contains(&id))).collect())
}

fn ids_of(rows: Vec<Row>) -> Result<HashSet<Uuid>> {
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
