//! `heirloom verify`: every row and every mapped field, source against store. Writes only what it is told to record.

use std::path::PathBuf;

use clap::Args;
use heirloom_engine::Database;
use heirloom_migrate::apply;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::ledger::Comparing;
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::Source;
use heirloom_migrate::verify::{self, Difference, Explanation, RecordedCheck, Verification, VerifyRequest};
use heirloom_store::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context::{Context, Progress};
use crate::error::{Error, Result};
use crate::ops::migration::{self, Opened};
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, count, counted, harmless, line};

/// Differences that are shown on a terminal; all are counted, and JSON lists a thousand.
const SHOWN: usize = 20;

/// Arguments of `heirloom verify`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The plan that was applied
    pub plan: PathBuf,
    /// Show the values that differ, not only where they are
    #[arg(long)]
    #[serde(default)]
    pub show_content: bool,
    /// When all holds, write that down: the run becomes verified, and the source's `mark` is set where one is asked for
    #[arg(long)]
    #[serde(default)]
    pub record: bool,
    /// Leave the source alone: compare the store with what was recorded when it was written
    #[arg(long, conflicts_with_all = ["record", "show_content"])]
    #[serde(default)]
    pub target_only: bool,
}

impl Operation for Verify {
    const NAME: &'static str = "verify";
    const SUMMARY: &'static str = "Compare every row and mapped field with the source";
    const DETAIL: &'static str = "Reads both sides and writes nothing, unless --record is given. Edits, forgetting and new \
        memories since are explained row by row from the store's own records; what they do not explain is a difference, \
        and exit code 3.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        if self.target_only {
            return self.recorded(context).await;
        }
        let opened = Opened::to_read(context, &self.plan).await?;
        let store = Store::open(opened.database).await?;
        let label = opened.plan.name.clone();
        let told = Comparing::begin(opened.database, opened.plan.run_id).await;
        let found = verify::run(VerifyRequest {
            foreign: opened.foreign.as_deref(),
            plan: &opened.plan,
            source: opened.source.as_ref(),
            store: &store,
            show_content: self.show_content,
            progress: &mut |done, total| {
                told.say(done);
                context.watch().progress(&Progress { label: label.clone(), done, total, rejected: 0 });
            },
        })
        .await?;
        drop(told);
        let marked = if self.record && found.holds {
            Some(record(&opened.plan, &opened.file, opened.source.as_ref(), opened.database, &found).await?)
        } else {
            None
        };
        let marker = apply::marked(&opened.plan, &opened.file, opened.source.as_ref(), opened.database).await?;
        let mut json = serde_json::to_value(&found).map_err(|error| Error::Bug(format!("no JSON: {error}")))?;
        if let Value::Object(object) = &mut json {
            object.insert("recorded".to_owned(), json!(marked.is_some()));
            object.insert("marked".to_owned(), json!(marked));
            object.insert("marker".to_owned(), json!(marker));
        }
        let mut text = text(&found);
        if let Some(marker) = marker {
            text.push_str(&format!(
                "{} of the source marked in {}, {} not; the store has a record of {}\n",
                counted(marker.marked, "row"),
                line(&marker.column, 24),
                count(marker.unmarked),
                count(marker.recorded)
            ));
        }
        if let Some(marked) = marked {
            text.push_str("Recorded as verified\n");
            if marked > 0 {
                text.push_str(&format!("{} of the source marked\n", counted(marked, "row")));
            }
        }
        Ok(Output::new(&json, text)?.holding(found.holds))
    }
}

impl Verify {
    /// The store alone. The source is not opened.
    async fn recorded(&self, context: &Context) -> Result<Output> {
        if self.record || self.show_content {
            return Err(Error::Argument {
                argument: "--target-only",
                what: "it was given with --record or --show-content".to_owned(),
                accepted: "without the source nothing can be recorded as verified, and no column is known".to_owned(),
            });
        }
        let (plan, database) = migration::plan_and_target(context, &self.plan).await?;
        let store = Store::open(database).await?;
        let label = plan.name.clone();
        let told = Comparing::begin(database, plan.run_id).await;
        let found = verify::recorded(&plan, &store, &mut |done, total| {
            told.say(done);
            context.watch().progress(&Progress { label: label.clone(), done, total, rejected: 0 });
        })
        .await?;
        Ok(Output::new(&found, recorded_text(&found))?.holding(found.holds))
    }
}

fn recorded_text(found: &RecordedCheck) -> String {
    let mut table = Table::new(&["", ">", ""]);
    table.row(["recorded as written", &count(found.recorded), ""]);
    table.row(["as they were written", &count(found.equal), ""]);
    for (why, rows) in &found.explained {
        table.row([
            format!("{} since", migration::word(why)),
            count(*rows),
            "the store's own records say so".to_owned(),
        ]);
    }
    if found.unrecorded > 0 {
        table.row(["without a record", &count(found.unrecorded), "the ledger counts them"]);
    }
    table.row(["differences", &count(found.difference_count), ""]);
    let verdict = if found.holds { "the store holds what was written" } else { "does not hold" };
    let mut text = format!("{}: {verdict}; the source was not read\n\n{}\n", found.name, table.render());
    if !found.differences.is_empty() {
        let mut table = Table::new(&["class", "key"]);
        for difference in found.differences.iter().take(SHOWN) {
            table.row([migration::word(&difference.class), line(&difference.key.join(", "), 60)]);
        }
        text.push_str(&format!("\n{}", table.render()));
    }
    text
}

/// Sets the run to `verified` and stamps the source's marker; gives back how many rows were stamped.
pub(crate) async fn record(
    plan: &Plan,
    file: &MigrationFile,
    source: &dyn Source,
    database: &Database,
    found: &Verification,
) -> Result<u64> {
    Ok(apply::record_verified(plan, file, source, database, found, &super::apply::failpoints()?).await?)
}

fn text(found: &Verification) -> String {
    let mut table = Table::new(&["", ">", ""]);
    table.row(["rows of the source", &count(found.source_rows), ""]);
    table.row(["expected in the store", &count(found.expected), ""]);
    table.row(["equal in every field", &count(found.equal), ""]);
    for (why, rows) in &found.explained {
        let note = match why {
            Explanation::Closed => "a newer one of its kind is open there",
            Explanation::Stamped => "in updated_at alone, which the target sets itself",
            Explanation::Expired => "over, and not there any more",
            Explanation::CatchingUp => "the source row keeps changing, and the store follows",
            _ => "the store's own records say so",
        };
        let what = match why {
            Explanation::CatchingUp => migration::word(why),
            _ => format!("{} since", migration::word(why)),
        };
        table.row([what, count(*rows), note.to_owned()]);
    }
    for (what, rows, note) in [
        ("rightly set aside", found.rejected, "`heirloom rejects` lists them"),
        ("written since, live", found.live_rows, "in the same namespaces, not from this source"),
        ("differences", found.difference_count, ""),
    ] {
        if rows > 0 || what == "differences" {
            table.row([what, &count(rows), note]);
        }
    }
    if found.unseen > 0 {
        let note = "nothing is said of them: the target's search is full of others";
        table.row(["not shown", &count(found.unseen), note]);
    }
    if found.partly_shown > 0 {
        let note = "of the namespaces: live rows there, and rows left there, count as far as shown";
        table.row(["shown in part", &count(found.partly_shown), note]);
    }
    if !found.not_shown.is_empty() {
        let note = verify::what_is_compared(&found.not_shown);
        table.row(["not compared", &found.not_shown.len().to_string(), &note]);
    }
    let verdict = if found.holds { "holds" } else { "does not hold" };
    format!("{}: {verdict}\n\n{}{}\n", found.name, table.render(), differences(found))
}

fn differences(found: &Verification) -> String {
    if found.differences.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["class", "key", "column", "what"]);
    for difference in found.differences.iter().take(SHOWN) {
        let column = difference.column.clone().unwrap_or_default();
        table.row([
            migration::word(&difference.class),
            line(&difference.key.join(", "), 36),
            column,
            sides(difference),
        ]);
    }
    let more = found.difference_count.saturating_sub(SHOWN as u64);
    let more = if more > 0 { format!("  and {} more\n", count(more)) } else { String::new() };
    format!("\n{}{more}", table.render())
}

/// The values when they were asked for, else their sizes.
fn sides(difference: &Difference) -> String {
    let side = |side: &Option<verify::Side>| match side {
        None => "nothing".to_owned(),
        Some(side) => match (&side.value, side.bytes) {
            (Some(value), _) => format!("`{}`", line(&harmless(value), 200)),
            (None, Some(bytes)) => counted(bytes as u64, "byte"),
            (None, None) => "null".to_owned(),
        },
    };
    match (&difference.expected, &difference.found) {
        (None, None) => String::new(),
        (expected, found) => format!("{} expected, {} found", side(expected), side(found)),
    }
}
