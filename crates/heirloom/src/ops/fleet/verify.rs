//! `heirloom fleet verify`: every row and every mapped field of each tenant, source against store.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::fleet::{self, Asked, Fleet, step};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet verify`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyFleet {
    /// Which tenants of which file
    #[command(flatten)]
    #[serde(flatten)]
    pub asked: Asked,
    /// Where all holds, write that down: the tenant becomes verified, and the source's `mark` is set where one is asked for
    #[arg(long)]
    #[serde(default)]
    pub record: bool,
}

impl Operation for VerifyFleet {
    const NAME: &'static str = "fleet verify";
    const SUMMARY: &'static str = "Compare every row of each tenant with its source";
    const DETAIL: &'static str =
        "As `heirloom verify`, for each tenant. Exit code 3 when a tenant failed or a difference was found.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let fleet = Fleet::to_read(context, &self.asked).await?;
        let record = self.record;
        let lines = fleet::gated(&fleet).await.run(&fleet, |turn| step::verify::run(turn, record)).await;
        fleet.close().await;
        let next = match record {
            true => format!("`heirloom fleet report {}`", self.asked.file.display()),
            false => format!("`heirloom fleet verify {} --record`", self.asked.file.display()),
        };
        fleet.output(&lines, &next)
    }
}
