//! `heirloom status`: where each migration stands.

use clap::Args;
use heirloom_migrate::ledger::{self, RunSummary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, migration, pages};
use crate::text::{Table, count, counted, harmless, line};

/// Arguments of `heirloom status`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Only the migration of this name
    pub name: Option<String>,
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for Status {
    const NAME: &'static str = "status";
    const SUMMARY: &'static str = "Show where each migration stands";
    const DETAIL: &'static str = "The newest run first.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let database = context.existing().await?;
        let client = database.client().await.map_err(heirloom_migrate::MigrateError::from)?;
        let runs = if ledger::exists(&client).await? { ledger::runs(&client).await? } else { Vec::new() };
        let cursors = pages::cursors(context, &self)?;
        let wanted = |run: &RunSummary| self.name.as_ref().is_none_or(|name| *name == run.name);
        let name = |run: &RunSummary| run.run_id.to_string();
        let (runs, next) = pages::page(runs, name, wanted, self.limit, &cursors, self.cursor.as_deref())?;
        let mut text = String::new();
        let mut shown = Vec::new();
        for run in runs {
            let at_work = match ledger::has_runners(&client).await? {
                true => ledger::live(&client, run.run_id).await?,
                false => ledger::Live::default(),
            };
            text.push_str(&lines(&run));
            text.push_str(&live(&run, &at_work));
            shown.push(Shown { run, live: at_work });
        }
        let runs = shown;
        if runs.is_empty() {
            text.push_str("Nothing was handed down yet. Start with `heirloom detect URL`.\n");
        }
        text.push_str(&pages::more(next.as_deref()));
        Output::new(&json!({ "runs": runs, "next": next }), text)
    }
}

/// A run, with who is at work on it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    run: RunSummary,
    #[serde(flatten)]
    live: ledger::Live,
}

/// What is going on: the chunk map, who is at work, how fast, how long it will take, and what each waits for.
fn live(run: &RunSummary, live: &ledger::Live) -> String {
    let compared = live.comparing.map_or_else(String::new, |done| {
        format!("  comparing: {} of {} rows\n\n", count(done), count(live.planned_rows.max(done)))
    });
    if live.runners.is_empty() {
        return compared;
    }
    let speed: f64 = live.runners.iter().map(|runner| runner.rows_per_second).sum();
    let left = live.planned_rows.saturating_sub(run.rows);
    let eta = match speed {
        speed if speed > 0.0 => format!(", about {} to go", duration((left as f64 / speed) as u64)),
        _ => String::new(),
    };
    let mut text = format!(
        "  {} of {} rows, {} rows/s{eta}\n  [{}]\n",
        count(run.rows),
        count(live.planned_rows),
        count(speed as u64),
        live.map
    );
    for runner in &live.runners {
        let doing = match (&runner.waiting, runner.silent_seconds) {
            (_, silent) if silent > 15.0 => format!("not heard for {}", duration(silent as u64)),
            (Some(why), _) => format!("waits: {}", line(&harmless(why), 60)),
            (None, _) => format!("{} in hand", counted(runner.chunks, "chunk")),
        };
        text.push_str(&format!("  process {} of {}: {doing}\n", runner.process, line(&runner.place, 30)));
    }
    text.push('\n');
    text
}

fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// One run: a head line, then what became of its rows.
fn lines(run: &RunSummary) -> String {
    let state = migration::word(&run.state);
    let mut table = Table::new(&["", ">", "", ""]);
    let left = match run.open {
        0 => "a later run dealt with them",
        _ => "`heirloom rejects` lists them",
    };
    for (what, rows, note) in [
        ("handed down", run.inserted, ""),
        ("updated", run.updated, "the source changed, the store had not"),
        ("restored", run.restored, "lost in the store without being forgotten"),
        ("there already", run.present, ""),
        ("left forgotten", run.forgotten, ""),
        ("conflicts", run.conflicts, "changed on both sides; the store's edit stays"),
        ("set aside", run.rejected, left),
    ] {
        if rows > 0 || what == "handed down" {
            table.row([what.to_owned(), count(rows), note.to_owned()]);
        }
    }
    let when = run.verified_at.as_ref().or(run.applied_at.as_ref()).unwrap_or(&run.started_at);
    format!(
        "{}: {state}, {} of {} chunks, {}\n  {}\n  run {}\n\n{}\n",
        line(&run.name, 40),
        count(run.chunks_done),
        count(run.chunks),
        when.get(..16).unwrap_or(when).replace('T', " "),
        line(&run.source, 78),
        run.run_id,
        table.render()
    )
}
