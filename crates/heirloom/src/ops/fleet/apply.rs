//! `heirloom fleet apply`: hands the memories of every tenant down as its plan says. Running it again writes nothing.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::fleet::{self, Asked, Fleet, step};
use crate::ops::apply::Polite;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet apply`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyFleet {
    /// Which tenants of which file
    #[command(flatten)]
    #[serde(flatten)]
    pub asked: Asked,
    /// How fast all tenants together, and when each waits for others
    #[command(flatten)]
    #[serde(flatten)]
    pub polite: Polite,
    /// Check everything, and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for ApplyFleet {
    const NAME: &'static str = "fleet apply";
    const SUMMARY: &'static str = "Hand the memories of each tenant down";
    const DETAIL: &'static str = "Before anything moves, each tenant's identity must fail to read every other tenant's rows. A tenant that fails delays no \
        other and ends as failed, with what to do in its line; run the same command again when that is done. `--rate` and `--byte-rate` are of all \
        tenants together and hold beside those that the file gives each; so does `--pause-file`. The other limits hold instead of the file's. A tenant \
        that waits says why in its line. Exit code 3 when a tenant failed.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let fleet = match self.check_only {
            true => Fleet::to_read(context, &self.asked).await?,
            false => Fleet::to_write(context, &self.asked).await?,
        };
        let how = step::apply::How::new(context, &fleet, &self.polite, self.check_only)?;
        let step = |turn| step::apply::run(turn, how.clone());
        let lines = fleet::gated(&fleet).await.run_unless(&fleet, |item| how.pauses(item), step).await;
        fleet.close().await;
        let (next, record) = if self.check_only { ("apply", "") } else { ("verify", " --record") };
        fleet.output(&lines, &format!("`heirloom fleet {next} {}{record}`", self.asked.file.display()))
    }
}
