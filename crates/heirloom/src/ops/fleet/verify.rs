//! `heirloom fleet verify`: every row and every mapped field of each tenant, source against store.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::fleet::{Asked, Fleet, step};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet verify`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyFleet {
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
        let asked = Asked {
            file: self.file.clone(),
            only: self.only.clone(),
            except: self.except.clone(),
            shard: self.shard.clone(),
            parallel: self.parallel,
        };
        let fleet = Fleet::open(context, &asked).await?;
        let record = self.record;
        let lines =
            fleet.run(context, Vec::new(), |item, crew, pulse, _| step::verify::run(item, crew, pulse, record)).await;
        fleet.close().await;
        let next = match record {
            true => format!("`heirloom fleet report {}`", self.file.display()),
            false => format!("`heirloom fleet verify {} --record`", self.file.display()),
        };
        fleet.output(&lines, &next)
    }
}
