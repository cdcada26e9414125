//! `heirloom run compare`: a run's source against the store, row by row and field by field, from the ledger's plan.

use clap::Args;
use heirloom_migrate::ledger::Comparing;
use heirloom_migrate::verify::{self, VerifyRequest};
use heirloom_store::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::{Context, Progress};
use crate::error::Result;
use crate::ops::migration::Opened;
use crate::ops::{Doors, Operation, Output};
use crate::text::counted;

/// Arguments of `heirloom run compare`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareRun {
    /// The run [default: the latest]
    pub run_id: Option<Uuid>,
    /// Leave the source alone: compare the store with what was recorded when it was written
    #[arg(long)]
    #[serde(default)]
    pub target_only: bool,
    /// Show the values that differ, not only where they are
    #[arg(long, conflicts_with = "target_only")]
    #[serde(default)]
    pub show_content: bool,
}

impl Operation for CompareRun {
    const NAME: &'static str = "run compare";
    const SUMMARY: &'static str = "Compare a run's source with the store, and write nothing";
    const DETAIL: &'static str = "As `heirloom verify` does, with the plan that the ledger keeps. Where the source's URL is a \
        reference such as env:NAME, the process that runs this has to know it.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let (run, plan, database) = super::stored(context, self.run_id).await?;
        let store = Store::open(database).await?;
        let watch = context.watch().clone();
        let label = run.name.clone();
        let told = Comparing::begin(database, run.run_id).await;
        let mut progress = |done, total| {
            told.say(done);
            watch.progress(&Progress { label: label.clone(), done, total, rejected: 0 });
        };
        let verdict = |holds: bool, differences: u64| match holds {
            true => format!("{}: holds\n", run.name),
            false => format!("{}: does not hold, {}\n", run.name, counted(differences, "difference")),
        };
        if self.target_only {
            let found = verify::recorded(&plan, &store, &mut progress).await?;
            let text = verdict(found.holds, found.difference_count);
            return Ok(Output::new(&found, text)?.holding(found.holds));
        }
        let opened = Opened::of(context, plan, database).await?;
        let found = verify::run(VerifyRequest {
            foreign: opened.foreign.as_deref(),
            plan: &opened.plan,
            source: opened.source.as_ref(),
            store: &store,
            show_content: self.show_content,
            progress: &mut progress,
        })
        .await?;
        let text = verdict(found.holds, found.difference_count);
        Ok(Output::new(&found, text)?.holding(found.holds))
    }
}
