//! `heirloom run retry`: the rows a run set aside, tried again as they are now.

use clap::Args;
use heirloom_migrate::apply;
use heirloom_store::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::apply::failpoints;
use crate::ops::migration::Opened;
use crate::ops::rejects::retry;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom run retry`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRun {
    /// The run [default: the latest]
    pub run_id: Option<Uuid>,
}

impl Operation for RetryRun {
    const NAME: &'static str = "run retry";
    const SUMMARY: &'static str = "Try rows that a run set aside again";
    const DETAIL: &'static str = "As `heirloom rejects retry` does, with the plan that the ledger keeps.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let (_, plan, database) = super::stored(context, self.run_id).await?;
        let opened = Opened::of(context, plan, database).await?;
        let store = Store::open(opened.database).await?;
        let done = apply::retry(&opened.plan, opened.source.as_ref(), &store, opened.foreign.as_deref(), failpoints()?)
            .await?;
        Ok(Output::new(&done, retry::summary(&done))?.holding(done.still_rejected == 0))
    }
}
