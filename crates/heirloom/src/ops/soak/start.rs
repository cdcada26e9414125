//! `heirloom soak start`: from now on the days of a verified migration count.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::soak;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::desk::Desk;
use crate::ops::{Doors, Operation, Output};
use crate::text::counted;

/// Arguments of `heirloom soak start`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartSoak {
    /// The plan that was applied and verified
    pub plan: PathBuf,
    /// Begin again: nothing that was counted counts any more
    #[arg(long)]
    #[serde(default)]
    pub restart: bool,
    /// Say whether it could start, and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for StartSoak {
    const NAME: &'static str = "soak start";
    const SUMMARY: &'static str = "Start to watch old and new side by side";
    const DETAIL: &'static str = "The run must be verified (`heirloom verify PLAN --record`). The days asked for are in the \
        migration file, `[soak] days`, 30 when it says nothing. Sweep at least once a day: the first sweep is the first day. \
        The newest head of the audit chain is kept beside the plan, in PLAN with .audit for .json: keep it with the plan.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let desk = Desk::open(context, &self.plan).await?;
        let started = soak::start(&desk.task(self.check_only), self.restart).await?;
        let plan = self.plan.display();
        let days = counted(u64::from(started.days), "day");
        let text = match (self.check_only, started.restarted) {
            (true, _) => format!("{}: could start, {days}; nothing was written\n", started.name),
            (false, false) => {
                format!("{}: the soak of {days} began\nNext: `heirloom soak sweep {plan}`\n", started.name)
            }
            (false, true) => {
                format!("{}: the soak of {days} began again\nNext: `heirloom soak sweep {plan}`\n", started.name)
            }
        };
        if !self.check_only {
            desk.keep(started.head.as_ref()).await?;
        }
        Output::new(&started, text)
    }
}
