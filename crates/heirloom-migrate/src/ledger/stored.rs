//! The plan of a run, as the ledger keeps it: whole but for the samples, which are content.

use deadpool_postgres::GenericClient;
use uuid::Uuid;

use crate::error::{MigrateError, Result};
use crate::plan::Plan;

/// The plan of a run. It is sealed anew, since its samples were not kept; the digest of the plan that was applied is
/// the run's [`super::RunSummary::plan_digest`].
///
/// # Errors
/// [`MigrateError::Ledger`] when there is no such run or its plan is of another form.
pub async fn stored_plan(client: &impl GenericClient, run_id: Uuid) -> Result<Plan> {
    let row = client
        .query_opt("select plan::text from heirloom_migrate.run where run_id = $1", &[&run_id])
        .await?
        .ok_or_else(|| MigrateError::Ledger(format!("there is no run {run_id}")))?;
    let text: String = row.try_get(0)?;
    let mut plan: Plan = serde_json::from_str(&text)
        .map_err(|_| MigrateError::Ledger(format!("the plan of run {run_id} was written by another version")))?;
    plan.seal();
    Ok(plan)
}
