//! `heirloom fleet status`: where each tenant stands. Opens the stores, and no source.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::fleet::{Asked, Fleet, step};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet status`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetStatus {
    /// Which tenants of which file
    #[command(flatten)]
    #[serde(flatten)]
    pub asked: Asked,
}

impl Operation for FleetStatus {
    const NAME: &'static str = "fleet status";
    const SUMMARY: &'static str = "Show where each tenant of a file stands";
    const DETAIL: &'static str =
        "By the plans beside the tenants file and the ledgers of the stores. Exit code 3 when a store does not answer.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let fleet = Fleet::to_read(context, &self.asked).await?;
        let lines = fleet.run(Vec::new(), |item, crew, pulse, _| step::status::run(item, crew, pulse)).await;
        fleet.close().await;
        fleet.output(&lines, "")
    }
}
