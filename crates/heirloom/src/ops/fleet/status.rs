//! `heirloom fleet status`: where each tenant stands. Opens the stores, and no source.

use std::path::PathBuf;

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
        let asked = Asked {
            file: self.file.clone(),
            only: self.only.clone(),
            except: self.except.clone(),
            shard: self.shard.clone(),
            parallel: self.parallel,
        };
        let fleet = Fleet::open(context, &asked).await?;
        let lines = fleet
            .run(context, Vec::new(), |item, crew, pulse, _| step::status::run(item, crew, pulse, context.clock()))
            .await;
        fleet.close().await;
        fleet.output(&lines, "")
    }
}
