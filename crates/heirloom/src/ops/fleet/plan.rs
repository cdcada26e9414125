//! `heirloom fleet plan`: a migration file and a plan for each tenant. Writes nothing but those files.

use std::path::PathBuf;

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
    /// The tenants file
    pub file: PathBuf,
    /// Only these tenants, separated by commas (can be repeated)
    #[arg(long, value_name = "TENANTS", action = clap::ArgAction::Append)]
    #[serde(default)]
    pub only: Vec<String>,
    /// All but these tenants, separated by commas (can be repeated)
    #[arg(long, value_name = "TENANTS", action = clap::ArgAction::Append)]
    #[serde(default)]
    pub except: Vec<String>,
    /// Of those, the share of one of several workers, the first being 0
    #[arg(long, value_name = "INDEX/COUNT")]
    pub shard: Option<String>,
    /// Tenants at a time [default: what the file says, else twice the processors]
    #[arg(long, value_name = "N")]
    pub parallel: Option<usize>,
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
        let asked = Asked {
            file: self.file.clone(),
            only: self.only.clone(),
            except: self.except.clone(),
            shard: self.shard.clone(),
            parallel: self.parallel,
        };
        let fleet = Fleet::open(context, &asked).await?;
        let how = step::plan::How { check_only: self.check_only, again: self.again };
        let lines =
            fleet.run(context, Vec::new(), |item, crew, pulse, _| step::plan::run(item, crew, pulse, how)).await;
        fleet.close().await;
        let next = match self.check_only {
            true => String::new(),
            false => format!(
                "read the plans in {}, then `heirloom fleet apply {}`",
                fleet.directory().display(),
                self.file.display()
            ),
        };
        fleet.output_with_roles(&lines, &next)
    }
}
