//! `heirloom retire`: the source's table is archived and renamed; after the grace, dropped.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::retire::{self, Phase, Retirement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Progress};
use crate::error::Result;
use crate::ops::desk::{self, Desk};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom retire`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    /// The plan that soaked
    pub plan: PathBuf,
    /// Say which gates are met and which are short, and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for Retire {
    const NAME: &'static str = "retire";
    const SUMMARY: &'static str = "Archive and rename a source's table; after the grace, drop it";
    const DETAIL: &'static str = "Nothing goes before every gate is met: verified, soaked, no divergence, no open reject, an \
        audit chain that holds, nobody who writes to the table, a last sweep over every row, and an archive that was restored \
        into a scratch schema and compared. The table is then renamed and kept for the grace ([retire] grace, 7 days); the \
        same command drops it afterwards. `heirloom unretire` brings it back. Exit code 3 when a gate is short.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let desk = Desk::open(context, &self.plan).await?;
        let label = desk.plan().name.clone();
        let archive = desk.archive();
        let done = retire::retire(&desk.task(self.check_only), &archive, &mut |done, total| {
            context.watch().progress(&Progress { label: label.clone(), done, total, rejected: 0 });
        })
        .await?;
        if !self.check_only {
            desk.keep(done.head.as_ref()).await?;
        }
        Ok(Output::new(&done, self.text(&done))?.holding(done.holds))
    }
}

impl Retire {
    fn text(&self, done: &Retirement) -> String {
        let plan = self.plan.display();
        let renamed = done.renamed.clone().unwrap_or_default();
        let until = done.drop_at.map_or_else(String::new, |at| desk::minute(&at.to_string()));
        let what = match done.phase {
            Phase::Waiting if done.holds => format!("{} can be retired: every gate is met", done.table),
            Phase::Waiting => format!("{} stays: a gate is short", done.table),
            Phase::Kept => format!("{} is kept as {renamed} until {until} UTC", done.table),
            Phase::Dropped => format!("{} is dropped; its archive is what is left", done.table),
        };
        let next = match (done.phase, done.holds) {
            (Phase::Waiting, true) => format!("Next: `heirloom retire {plan}`\n"),
            (Phase::Waiting, false) => String::new(),
            (Phase::Kept, _) => {
                format!("Back: `heirloom unretire {plan}`\nAfter the grace: `heirloom retire {plan}`\n")
            }
            (Phase::Dropped, _) => format!("Back: `heirloom unretire {plan}`\n"),
        };
        let mut text = String::new();
        for part in crate::text::wrap(&format!("{}: {what}", done.name), 80) {
            text.push_str(&format!("{part}\n"));
        }
        if let Some(archive) = &done.archive {
            let shown = format!("The archive is {}", archive.manifest);
            text.push_str(&format!("  {shown}\n"));
        }
        format!("{text}\n{}{next}", desk::gates(&done.gates))
    }
}
