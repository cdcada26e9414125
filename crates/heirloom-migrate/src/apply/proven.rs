//! A comparison that holds, recorded: the run is verified, and the source's marker stamped where the file asks for one.

use heirloom_engine::Database;
use serde_json::json;

use super::mark::stamp_verified;
use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::file::MigrationFile;
use crate::ledger::{self, RunState};
use crate::plan::Plan;
use crate::source::Source;
use crate::verify::Verification;

/// Sets the run to `verified` and stamps the source's marker; gives back how many rows were stamped. Done again it stamps what
/// is left.
///
/// # Errors
/// [`MigrateError::Plan`] when the plan was never applied, [`MigrateError::Refused`] when not all of it was; and as writing to
/// the source.
pub async fn record_verified(
    plan: &Plan,
    file: &MigrationFile,
    source: &dyn Source,
    database: &Database,
    found: &Verification,
    failpoints: &Failpoints,
) -> Result<u64> {
    if !ledger::exists(&database.client().await?).await? {
        return Err(plan.never_applied());
    }
    ledger::ensure(database).await?;
    {
        let mut client = database.client().await?;
        let Some(run) = ledger::find_run(&client, plan.run_id).await? else { return Err(plan.never_applied()) };
        if run.state == RunState::Applying {
            return Err(MigrateError::Refused {
                what: format!("{} of {} chunks are applied, so the whole is not verified", run.chunks_done, run.chunks),
                cure: "run `heirloom apply` until every chunk is done, then verify again".to_owned(),
            });
        }
        let tx = client.transaction().await?;
        let details = json!({ "equal": found.equal, "explained": found.explained, "merkle_root": found.merkle_root });
        ledger::set_state(&tx, plan.run_id, RunState::Verified, &details).await?;
        failpoints.pass(Point::BeforeProven).await?;
        tx.commit().await?;
    }
    failpoints.pass(Point::AfterProven).await?;
    stamp_verified(plan, file, source, database, failpoints).await
}
