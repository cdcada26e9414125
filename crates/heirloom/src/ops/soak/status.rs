//! `heirloom soak status`: the calendar, and which gates are short.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::soak::{self, DayKind, SoakStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, desk, migration, pages};
use crate::text::{counted, line};

/// Arguments of `heirloom soak status`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoakStatusOf {
    /// The plan that soaks; without one, the latest run of each migration in the store
    pub plan: Option<PathBuf>,
    /// Only the migration of this name
    #[arg(long, conflicts_with = "plan")]
    pub name: Option<String>,
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for SoakStatusOf {
    const NAME: &'static str = "soak status";
    const SUMMARY: &'static str = "Show the days of a soak, and what is short";
    const DETAIL: &'static str = "Reads the ledger alone. The calendar has a sign a day: `#` counts, `x` diverged, `-` was not \
        swept, `.` is not over yet, `o` was clean before the clock started again. Exit code 3 when one of those shown \
        does not hold.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let cursors = pages::cursors(context, &self)?;
        let runs = migration::latest_runs(context, self.plan.as_deref(), self.name.as_deref()).await?;
        let (runs, next) = pages::page(runs, migration::place, |_| true, self.limit, &cursors, self.cursor.as_deref())?;
        let now = context.clock().now();
        let mut all = Vec::new();
        for (database, run) in runs {
            let client = database.client().await.map_err(heirloom_migrate::MigrateError::from)?;
            all.push(soak::status(&client, &run, now).await?);
        }
        let mut text: String = all.iter().map(lines).collect();
        if all.is_empty() {
            text.push_str("Nothing was handed down yet. Start with `heirloom detect URL`.\n");
        }
        let holds = all.iter().all(|one| one.chain_holds && one.calendar.last_clean != Some(false));
        text.push_str(&pages::more(next.as_deref()));
        Ok(Output::new(&json!({ "soaks": all, "next": next }), text)?.holding(holds))
    }
}

fn lines(one: &SoakStatus) -> String {
    let calendar = &one.calendar;
    let mut text = format!("{}: {}\n  {}\n", line(&one.name, 40), one.state.text(), desk::progress(calendar));
    if let (Some(first), Some(last)) = (calendar.days.first(), calendar.days.last()) {
        let signs: String = calendar
            .days
            .iter()
            .map(|day| match (day.kind, day.counts) {
                (DayKind::Clean, true) => '#',
                (DayKind::Clean, false) => 'o',
                (DayKind::Divergent, _) => 'x',
                (DayKind::Missing, _) => '-',
                (DayKind::Open, _) => '.',
            })
            .collect();
        text.push_str(&format!("  {} to {}, {}\n", first.day, last.day, counted(calendar.days.len() as u64, "day")));
        for part in signs.as_bytes().chunks(60) {
            text.push_str(&format!("  [{}]\n", String::from_utf8_lossy(part)));
        }
    }
    if let Some(sweep) = one.last.as_ref().filter(|sweep| !sweep.clean) {
        text.push_str(&desk::divergences(&sweep.divergences, sweep.divergence_count));
    }
    if let Some(shadow) = one.last.as_ref().and_then(|sweep| sweep.shadow.as_ref()) {
        text.push_str(&desk::shadow(shadow));
    }
    if calendar.started_at.is_some() {
        text.push_str(&format!("\n{}", desk::gates(&one.gates)));
    }
    text.push('\n');
    text
}
