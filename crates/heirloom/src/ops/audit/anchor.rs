//! `heirloom audit anchor`: the head of a chain is kept beside its plan again, after that file was lost.

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

/// Arguments of `heirloom audit anchor`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnchorAudit {
    /// The plan whose .audit file is lost
    pub plan: PathBuf,
    /// Say what would be taken as it is, and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for AnchorAudit {
    const NAME: &'static str = "audit anchor";
    const SUMMARY: &'static str = "Keep a chain's lost head beside its plan again";
    const DETAIL: &'static str = "The chain must hold in itself; that its end was not cut before nobody can say any more. Look at it first \
        with `heirloom audit list PLAN`, and hold it against evidence with `heirloom audit check PLAN --head NUMBER:HASH`. An \
        entry of the chain says who took it as it is, and `heirloom retire` tells.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let desk = Desk::open(context, &self.plan).await?;
        let done = soak::anchor(&desk.task(self.check_only)).await?;
        if !self.check_only {
            desk.keep(done.head.as_ref()).await?;
        }
        let entries = counted(done.entries, "entry");
        let what = match self.check_only {
            true => format!("{}: {entries} would be taken as they are; nothing was written\n", done.name),
            false => format!("{}: {entries} are taken as they are, and one says so\n", done.name),
        };
        let found = done.found.as_ref().map_or_else(String::new, |head| format!("  {}:{}\n", head.seq, head.hash));
        Output::new(&done, what + &found)
    }
}
