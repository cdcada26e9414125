//! `heirloom audit check`: whether the chain of each migration holds.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::audit::{self, AuditReport, Head, Problem, anchor};
use heirloom_migrate::ledger;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::{Doors, Operation, Output, migration, pages};
use crate::text::{counted, line};

/// Arguments of `heirloom audit check`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckAudit {
    /// The plan, with the head beside it; without one, the latest run of each migration in the store
    pub plan: Option<PathBuf>,
    /// A head that is known from elsewhere, such as from evidence that was signed
    #[arg(long, value_name = "NUMBER:HASH", requires = "plan")]
    pub head: Option<String>,
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for CheckAudit {
    const NAME: &'static str = "audit check";
    const SUMMARY: &'static str = "Check the chain that proves each step";
    const DETAIL: &'static str = "Computes every hash again, holds the chain against the state of the run and against the \
        triggers that guard it, and against the head beside the plan: a log that was edited or cut, and a ledger that came \
        back from a backup, are found, and so is that this head is lost. Exit code 3 when something of what is shown does not hold.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let cursors = pages::cursors(context, &self)?;
        let runs = migration::latest_runs(context, self.plan.as_deref(), None).await?;
        let (runs, next) = pages::page(runs, migration::place, |_| true, self.limit, &cursors, self.cursor.as_deref())?;
        let mut reports = Vec::new();
        for (database, run) in runs {
            let run_id = run.run_id;
            let mut heads = Vec::new();
            let beside = self.plan.as_deref().map(anchor::path_for);
            if let Some(path) = &beside {
                heads.extend(anchor::read(path, run_id)?);
            }
            let lost = beside.filter(|_| heads.is_empty());
            if let Some(text) = &self.head {
                heads.push(head(text, run_id)?);
            }
            let client = database.client().await.map_err(heirloom_migrate::MigrateError::from)?;
            let (entries, guards) = ledger::chain(&client, run_id).await?;
            let mut report = audit::check(&run, &entries, &guards, &heads);
            if let Some(path) = lost.filter(|_| anchor::is_kept(&entries)) {
                let what = format!(
                    "the head beside the plan, {}, is lost: `heirloom audit anchor` says what to do",
                    path.display()
                );
                report.problems.push(Problem { seq: None, what });
                report.holds = false;
            }
            reports.push(report);
        }
        let holds = reports.iter().all(|report| report.holds);
        let mut text: String = reports.iter().map(lines).collect();
        if reports.is_empty() {
            text.push_str("Nothing was handed down yet. Start with `heirloom detect URL`.\n");
        }
        text.push_str(&pages::more(next.as_deref()));
        Ok(Output::new(&json!({ "holds": holds, "chains": reports, "next": next }), text)?.holding(holds))
    }
}

fn head(text: &str, run_id: uuid::Uuid) -> Result<Head> {
    let parsed = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)));
    match parsed.filter(|(_, hash)| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        Some((seq, hash)) => Ok(Head { run_id, seq, hash: hash.to_lowercase() }),
        None => Err(Error::Argument {
            argument: "--head",
            what: "this is no number and hash".to_owned(),
            accepted: "write NUMBER:HASH with 64 hex digits, as evidence shows it".to_owned(),
        }),
    }
}

fn lines(report: &AuditReport) -> String {
    let verdict = if report.holds { "holds" } else { "does not hold" };
    let mut text = format!(
        "{}: the chain {verdict}, {}, {}\n",
        line(&report.name, 40),
        counted(report.entries, "entry"),
        report.state.text()
    );
    if let Some(head) = &report.head {
        text.push_str(&format!("  {}:{}\n", head.seq, head.hash));
    }
    for problem in &report.problems {
        let place = problem.seq.map_or_else(String::new, |seq| format!("entry {seq}: "));
        for part in crate::text::wrap(&format!("{place}{}", problem.what), 76) {
            text.push_str(&format!("  {part}\n"));
        }
    }
    if !report.anchored {
        text.push_str("  no head from outside the database to compare with\n");
    }
    text
}
