//! The steps of a run, as the ledger recorded them.

use deadpool_postgres::GenericClient;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Result;

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// When, RFC 3339.
    pub at: String,
    /// Database role that took it.
    pub actor: String,
    /// `started`, `applied`, `verified` and the like.
    pub step: String,
    /// Counts and ids, never content.
    pub details: serde_json::Value,
}

/// The steps of a run, oldest first; the latest 500.
pub async fn steps(client: &impl GenericClient, run_id: Uuid) -> Result<Vec<Step>> {
    let rows = client.query(include_str!("../../sql/queries/steps.sql"), &[&run_id]).await?;
    rows.iter()
        .map(|row| {
            let at: jiff::Timestamp = row.try_get("at")?;
            Ok(Step {
                at: at.to_string(),
                actor: row.try_get("actor")?,
                step: row.try_get("step")?,
                details: row.try_get("details")?,
            })
        })
        .collect()
}
