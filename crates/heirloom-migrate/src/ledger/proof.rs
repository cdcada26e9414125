//! What the last recorded comparison of a run counted.

use deadpool_postgres::GenericClient;
use uuid::Uuid;

use super::chunk::unsigned;
use crate::error::Result;

const VERIFIED: &str = include_str!("../../sql/queries/verified_counts.sql");

/// The counts of a recorded comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Rows equal in every field.
    pub equal: u64,
    /// Rows that differ for a reason that the store's own records give.
    pub explained: u64,
}

/// The last recorded comparison of a run; `None` when there was none, or when rows were written since.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn verified(client: &impl GenericClient, run_id: Uuid) -> Result<Option<Proof>> {
    let row = client.query_opt(VERIFIED, &[&run_id]).await?;
    row.map(|row| Ok(Proof { equal: unsigned(row.try_get("equal")?), explained: unsigned(row.try_get("explained")?) }))
        .transpose()
}
