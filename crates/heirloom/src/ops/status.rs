//! `heirloom status`: where each migration stands.

use clap::Args;
use heirloom_migrate::ledger::{self, RunSummary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::migration;
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, count, line};

/// Arguments of `heirloom status`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Only the migration of this name
    pub name: Option<String>,
}

impl Operation for Status {
    const NAME: &'static str = "status";
    const SUMMARY: &'static str = "Show where each migration stands";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let database = context.existing().await?;
        let client = database.client().await.map_err(heirloom_migrate::MigrateError::from)?;
        let runs = if ledger::exists(&client).await? { ledger::runs(&client).await? } else { Vec::new() };
        let runs: Vec<RunSummary> =
            runs.into_iter().filter(|run| self.name.as_ref().is_none_or(|name| *name == run.name)).collect();
        let mut text = String::new();
        for run in &runs {
            text.push_str(&lines(run));
        }
        if runs.is_empty() {
            text.push_str("Nothing was handed down yet. Start with `heirloom detect URL`.\n");
        }
        Output::new(&json!({ "runs": runs }), text)
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
