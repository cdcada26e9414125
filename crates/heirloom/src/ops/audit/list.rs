//! `heirloom audit list`: the entries of the chain, who took which step and when.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::audit::Entry;
use heirloom_migrate::ledger;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, desk, migration, pages};
use crate::text::{Table, line};

/// Arguments of `heirloom audit list`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAudit {
    /// The plan; without one, the latest run of each migration in the store
    pub plan: Option<PathBuf>,
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for ListAudit {
    const NAME: &'static str = "audit list";
    const SUMMARY: &'static str = "List the steps of a migration, who took them and when";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let runs = migration::latest_runs(context, self.plan.as_deref(), None).await?;
        let mut all: Vec<Entry> = Vec::new();
        for (database, run) in runs {
            let client = database.client().await.map_err(heirloom_migrate::MigrateError::from)?;
            if ledger::has_chain(&client).await? {
                all.extend(ledger::entries(&client, run.run_id).await?);
            }
        }
        let name = |entry: &Entry| format!("{}~{}", entry.run_id, entry.seq);
        let cursors = pages::cursors(context, &self)?;
        let (all, next) = pages::page(all, name, |_| true, self.limit, &cursors, self.cursor.as_deref())?;
        let mut table = Table::new(&[">", "at (UTC)", "step", "by", "from", "version", "hash"]);
        for entry in &all {
            table.row([
                entry.seq.to_string(),
                desk::minute(&entry.at.to_string()),
                entry.what.clone(),
                line(&entry.role, 14),
                line(&entry.place, 12),
                entry.program.clone(),
                entry.hash.get(..8).unwrap_or_default().to_owned(),
            ]);
        }
        let text = if all.is_empty() { "There is no entry.\n".to_owned() } else { table.render() };
        let text = text + &pages::more(next.as_deref());
        Output::new(&json!({ "entries": all, "next": next }), text)
    }
}
