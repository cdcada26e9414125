//! `heirloom fleet soak`: a sweep of each tenant's soak. Made for a timer.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::fleet::{self, Asked, Fleet, step};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet soak`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoakFleet {
    /// Which tenants of which file
    #[command(flatten)]
    #[serde(flatten)]
    pub asked: Asked,
    /// Read every row, also where nothing was written since the last clean sweep
    #[arg(long)]
    #[serde(default)]
    pub full: bool,
    /// Compare and say what is found, and write nothing; the day does not count by it
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for SoakFleet {
    const NAME: &'static str = "fleet soak";
    const SUMMARY: &'static str = "Watch old and new of each tenant: one sweep";
    const DETAIL: &'static str = "Starts the soak of each tenant that is verified, and sweeps all that soak. Run it at least once a day: a day without a sweep does not \
        count. Exit code 3 when a tenant failed or diverged; its clock starts again.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let fleet = Fleet::to_read(context, &self.asked).await?;
        let how = step::soak::How { full: self.full, check_only: self.check_only };
        let lines = fleet::gated(&fleet).await.run(&fleet, |turn| step::soak::run(turn, how)).await;
        fleet.close().await;
        fleet.output(&lines, "")
    }
}
