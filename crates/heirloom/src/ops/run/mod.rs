//! One run of a migration, as the ledger of the store has it: looked at, compared, proved, its rejects tried again. For
//! whoever has no plan at hand; the operations on plan files are `apply`, `verify`, `report` and `rejects`.

pub mod compare;
pub mod evidence;
pub mod retry;
pub mod show;

use heirloom_engine::Database;
use heirloom_migrate::MigrateError;
use heirloom_migrate::ledger::{self, RunSummary};
use heirloom_migrate::plan::Plan;
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;

/// A run and its plan; the latest run when none is named.
async fn stored(context: &Context, run_id: Option<Uuid>) -> Result<(RunSummary, Plan, &Database)> {
    let database = context.existing().await?;
    let client = database.client().await.map_err(MigrateError::from)?;
    let runs = if ledger::exists(&client).await? { ledger::runs(&client).await? } else { Vec::new() };
    let wanted = runs.into_iter().find(|run| run_id.is_none_or(|id| id == run.run_id));
    let run = wanted.ok_or_else(|| match run_id {
        Some(id) => {
            heirloom_store::StoreError::NotFound { what: "run", id: id.to_string(), namespace: "the ledger".to_owned() }
                .into()
        }
        None => crate::error::Error::from(MigrateError::Refused {
            what: "Nothing was handed down yet".to_owned(),
            cure: "start with `heirloom detect URL`".to_owned(),
        }),
    })?;
    let plan = ledger::stored_plan(&client, run.run_id).await?;
    Ok((run, plan, database))
}
