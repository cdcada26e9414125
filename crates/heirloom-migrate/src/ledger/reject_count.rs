//! What was set aside, counted by reason: codes and numbers, no row.

use deadpool_postgres::GenericClient;
use serde::{Deserialize, Serialize};

use super::chunk::unsigned;
use crate::error::{MigrateError, Result};
use crate::mapping::RejectCode;

const COUNTS: &str = include_str!("../../sql/queries/reject_counts.sql");

/// Rows of a source that were set aside for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectTotal {
    /// The reason.
    pub code: RejectCode,
    /// The memory field concerned.
    pub field: Option<String>,
    /// The source column concerned.
    pub column: Option<String>,
    /// Rows that still wait.
    pub open: u64,
    /// Rows that were handed down after all.
    pub resolved: u64,
}

/// Counts what was set aside of a source (see [`crate::plan::Plan::origin_source`]), most frequent first.
///
/// # Errors
/// [`MigrateError::Ledger`] for a reason this binary does not know.
pub async fn reject_counts(client: &impl GenericClient, source: &str) -> Result<Vec<RejectTotal>> {
    let rows = client.query(COUNTS, &[&source]).await?;
    rows.iter()
        .map(|row| {
            let code: String = row.try_get("code")?;
            Ok(RejectTotal {
                code: serde_json::from_value(code.clone().into())
                    .map_err(|_| MigrateError::Ledger(format!("unknown reject code {code}")))?,
                field: row.try_get("field")?,
                column: row.try_get("source_column")?,
                open: unsigned(row.try_get("open")?),
                resolved: unsigned(row.try_get("resolved")?),
            })
        })
        .collect()
}
