//! `heirloom fleet plan`: a migration file and a plan for each tenant. Writes nothing but those files.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::fleet::{Asked, Fleet, step};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet plan`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFleet {
    /// Which tenants of which file
    #[command(flatten)]
    #[serde(flatten)]
    pub asked: Asked,
    /// Make a plan where there is one already, too
    #[arg(long)]
    #[serde(default)]
    pub again: bool,
    /// Show the table, and write no file either
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for PlanFleet {
    const NAME: &'static str = "fleet plan";
    const SUMMARY: &'static str = "Plan the migration of each tenant of a file";
    const DETAIL: &'static str = "Makes tenants/NAME.toml and tenants/NAME.plan.json beside the tenants file, each an ordinary migration file and plan. A plan \
        that is there stays where neither the tenants file nor the template changed. Exit code 3 when a tenant failed.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let fleet = Fleet::to_read(context, &self.asked).await?;
        let how = step::plan::How { check_only: self.check_only, again: self.again };
        let lines = fleet.run(Vec::new(), |item, crew, pulse, _| step::plan::run(item, crew, pulse, how)).await;
        fleet.close().await;
        let next = match self.check_only {
            true => String::new(),
            false => format!(
                "read the plans in {}, then `heirloom fleet apply {}`",
                fleet.directory().display(),
                self.asked.file.display()
            ),
        };
        fleet.output_with_roles(&lines, &next)
    }
}
