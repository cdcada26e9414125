//! Rows that map but that only the database could refuse: apply found them one by one and set them aside, and the ledger
//! has each with its bytes. They are rightly absent, like rows that do not map, as long as the source still says the same.

use std::collections::HashSet;

use deadpool_postgres::Transaction;

use super::expected::Expected;
use crate::error::Result;
use crate::ledger;

const ASIDE: &str = include_str!("../../sql/queries/verify_aside.sql");

/// Keys among these rows that the database refused, with the very bytes they have now.
pub(super) async fn refused(
    tx: &Transaction<'_>,
    origin_source: &str,
    rows: &[&Expected],
) -> Result<HashSet<Vec<String>>> {
    if rows.is_empty() || !ledger::exists(tx).await? {
        return Ok(HashSet::new());
    }
    let keys = rows.iter().map(|row| ledger::key_text(&row.key)).collect::<Result<Vec<_>>>()?;
    let recorded = tx.query(ASIDE, &[&origin_source, &keys]).await?;
    let recorded: HashSet<(&str, &[u8])> =
        recorded.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_>>()?;
    let same = |(row, key): &(&&Expected, String)| recorded.contains(&(key.as_str(), row.source_digest.0.as_slice()));
    Ok(rows.iter().zip(keys).filter(same).map(|(row, _)| row.key.clone()).collect())
}
