//! `heirloom unretire`: a retired table comes back under its name.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::retire;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::desk::Desk;
use crate::ops::{Doors, Operation, Output};
use crate::text::{counted, wrap};

/// Arguments of `heirloom unretire`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unretire {
    /// The plan that was retired
    pub plan: PathBuf,
    /// Say what would come back from where; what would be made again is tried and rolled back
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
    /// Leave out what this role had, which is gone since: the table, grants on it, a policy for it (can be repeated)
    #[arg(long, value_name = "NAME", action = clap::ArgAction::Append)]
    #[serde(default)]
    pub without_role: Vec<String>,
}

impl Operation for Unretire {
    const NAME: &'static str = "unretire";
    const SUMMARY: &'static str = "Bring a retired table back";
    const DETAIL: &'static str = "Within the grace the table is renamed back, with everything that is on it. Once dropped, it is \
        made again from the archive and compared with it; `--check-only` tries all of that and keeps nothing. \
        A role that is gone since is named before anything is made. The migration soaks again from nothing.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let desk = Desk::open(context, &self.plan).await?;
        let back = retire::unretire(&desk.task(self.check_only), &desk.archive(), &self.without_role).await?;
        if !self.check_only {
            desk.keep(back.head.as_ref()).await?;
        }
        let from = if back.from_archive { "made again from its archive" } else { "renamed back" };
        let (what, next) = if self.check_only {
            (format!("{}: {} would be {from}; nothing was written", back.name, back.table), String::new())
        } else {
            let (rows, plan) = (counted(back.rows, "row"), self.plan.display());
            let next = format!("Next: `heirloom soak sweep {plan}`\n");
            (format!("{}: {} is {from}, {rows}", back.name, back.table), next)
        };
        let text: String = wrap(&what, 80).iter().map(|part| format!("{part}\n")).chain([next]).collect();
        let left_out: String = back
            .left_out
            .iter()
            .map(|sql| format!("  Left out, because whose or where it was is gone or another's by now: {sql}\n"))
            .collect();
        Output::new(&back, text + &left_out)
    }
}
