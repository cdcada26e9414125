//! `heirloom rejects retry`: rows that were set aside, tried again as they are now.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::apply::{self, Retried};
use heirloom_store::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::apply::failpoints;
use crate::ops::migration::Opened;
use crate::ops::{Doors, Operation, Output};
use crate::text::counted;

/// Arguments of `heirloom rejects retry`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRejects {
    /// The plan that was applied
    pub plan: PathBuf,
    /// Say what would come of it and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for RetryRejects {
    const NAME: &'static str = "rejects retry";
    const SUMMARY: &'static str = "Try rows that were set aside again";
    const DETAIL: &'static str = "Mend the rows in the source, then try them again with the same plan. Where the migration file \
        is what has to be mended, make a plan of it and apply that; it hands the rows down as well. Rows that the source \
        has no longer are tried as they were kept. --check-only maps them and writes nothing; what the database alone would \
        refuse shows when they are tried. Exit code 3 when some are still set aside, or would be.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let opened = Opened::to_read(context, &self.plan).await?;
        let store = Store::open(opened.database).await?;
        if self.check_only {
            let (source, foreign) = (opened.source.as_ref(), opened.foreign.as_deref());
            let foreseen = apply::foresee_retry(&opened.plan, source, &store, foreign).await?;
            return Ok(Output::new(&foreseen, told(&foreseen))?.holding(foreseen.still_rejected == 0));
        }
        let done = apply::retry(&opened.plan, opened.source.as_ref(), &store, opened.foreign.as_deref(), failpoints()?)
            .await?;
        let mut text = summary(&done);
        if done.handed_down > 0 {
            text.push_str(&format!("Next: `heirloom verify {}`\n", self.plan.display()));
        }
        Ok(Output::new(&done, text)?.holding(done.still_rejected == 0))
    }
}

fn told(foreseen: &Retried) -> String {
    format!(
        "{} would be tried: {} handed down, {} still set aside, {} left as they are; nothing was written\n",
        counted(foreseen.tried, "row"),
        foreseen.handed_down,
        foreseen.still_rejected,
        foreseen.left
    )
}

/// What became of the rows, in a line.
pub(in crate::ops) fn summary(done: &Retried) -> String {
    format!(
        "{} tried: {} handed down, {} still set aside, {} left as they are\n",
        counted(done.tried, "row"),
        done.handed_down,
        done.still_rejected,
        done.left
    )
}
