//! `heirloom soak sweep`: one comparison of old with new, written down.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::soak::{self, Sweep, Task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Progress};
use crate::error::Result;
use crate::notify;
use crate::ops::desk::{self, Desk};
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, count};

/// Arguments of `heirloom soak sweep`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepSoak {
    /// The plan that soaks
    pub plan: PathBuf,
    /// Read every row, also where nothing was written since the last clean sweep
    #[arg(long)]
    #[serde(default)]
    pub full: bool,
    /// Compare and say what is found, and write nothing; the day does not count by it
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
    /// Queries for shadow recall, a JSON object a line [default: what the migration file names, else soak.record]
    #[arg(long, value_name = "FILE")]
    pub shadow: Option<PathBuf>,
}

impl Operation for SweepSoak {
    const NAME: &'static str = "soak sweep";
    const SUMMARY: &'static str = "Compare old with new, and write down what is found";
    const DETAIL: &'static str = "Made for cron: run it at least once a day. What the store's own records explain (edits, \
        forgetting, other states, expiry, what was caught up with) is counted by kind. Anything else is a divergence: it is \
        shown with row and column, the clock starts again, and the exit code is 3.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let desk = Desk::open(context, &self.plan).await?;
        let label = desk.plan().name.clone();
        let given = self.shadow.as_deref().map(|file| context.path(file));
        let queries = desk::queries(given, &context.config().soak.record, &desk.opened.file);
        let task = Task { shadow: queries.as_deref(), ..desk.task(self.check_only) };
        let sweep = soak::sweep(&task, self.full, &mut |done, total| {
            context.watch().progress(&Progress { label: label.clone(), done, total, rejected: 0 });
        })
        .await?;
        if !self.check_only {
            desk.keep(sweep.head.as_ref()).await?;
        }
        let mut text = text(&sweep);
        let not_told = match self.check_only {
            true => Vec::new(),
            false => notify::diverged(&context.config().notify, &sweep).await,
        };
        not_told.iter().for_each(|failed| context.watch().warn(failed));
        if self.check_only {
            text.push_str("Nothing was written; the day does not count by it\n");
        }
        let swept = Swept { sweep: &sweep, not_told };
        Ok(Output::new(&swept, text)?.holding(sweep.record.clean))
    }
}

/// A sweep, and whoever could not be told of its divergence.
#[derive(Serialize)]
struct Swept<'a> {
    #[serde(flatten)]
    sweep: &'a Sweep,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_told: Vec<String>,
}

fn text(sweep: &Sweep) -> String {
    let record = &sweep.record;
    let mut table = Table::new(&["", ">", ""]);
    table.row(["rows of the source", &count(record.source_rows), ""]);
    let read = format!("{} of {} chunks read again", count(record.read), count(record.chunks));
    table.row(["equal in every field", &count(record.equal), &read]);
    for (why, rows) in &record.explained {
        table.row([why.as_str(), &count(*rows), "explained by the store's own records"]);
    }
    if let Some(rejected) = record.rejected.filter(|rejected| *rejected > 0) {
        table.row(["set aside", &count(rejected), "in no store; `heirloom rejects` lists them"]);
    }
    table.row(["divergences", &count(record.divergence_count), ""]);
    let shadow = record.shadow.as_ref().map_or_else(String::new, desk::shadow);
    let verdict = if record.clean { "clean" } else { "divergence" };
    format!(
        "{}: {verdict}, {}\n  {}\n\n{}{shadow}{}",
        sweep.name,
        sweep.state.text(),
        desk::progress(&sweep.calendar),
        table.render(),
        desk::divergences(&record.divergences, record.divergence_count)
    )
}
