//! `heirloom fleet retire`: the table of each tenant is archived and renamed; after the grace, dropped.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::fleet::{self, Asked, Fleet, step};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet retire`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireFleet {
    /// Which tenants of which file
    #[command(flatten)]
    #[serde(flatten)]
    pub asked: Asked,
    /// Say which gates are short, and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for RetireFleet {
    const NAME: &'static str = "fleet retire";
    const SUMMARY: &'static str = "Archive and rename the table of each tenant that has soaked";
    const DETAIL: &'static str = "As `heirloom retire`, for each tenant: nothing goes before every gate is met. Exit code 3 when a tenant failed or a gate is short; \
        those that hold have taken their step all the same.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let fleet = Fleet::to_read(context, &self.asked).await?;
        let check_only = self.check_only;
        let lines = fleet::gated(&fleet).await.run(&fleet, |turn| step::retire::run(turn, check_only)).await;
        fleet.close().await;
        fleet.output(&lines, "")
    }
}
