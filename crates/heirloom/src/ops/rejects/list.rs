//! `heirloom rejects list`: the rows that were set aside, by key and reason, without their content.

use clap::Args;
use heirloom_migrate::ledger::RejectRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, migration, pages};
use crate::text::{Table, counted, line};

/// Arguments of `heirloom rejects list`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRejects {
    /// Only of the migration of this name
    pub name: Option<String>,
    /// Those that were handed down after all, too
    #[arg(long)]
    #[serde(default)]
    pub all: bool,
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for ListRejects {
    const NAME: &'static str = "rejects list";
    const SUMMARY: &'static str = "List rows that were set aside, and why";
    const DETAIL: &'static str = "The rows themselves are not shown; `heirloom rejects export --out FILE` writes them.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let cursors = pages::cursors(context, &self)?;
        let after = cursors.take(self.cursor.as_deref())?.and_then(|place| place.parse().ok()).unwrap_or(0);
        // One more than is shown tells whether anything follows.
        let most = self.limit.map_or(0, |limit| limit.saturating_add(1));
        let found = super::rejects(context, self.name, self.all, after, most).await?;
        let name = |reject: &RejectRecord| reject.reject_id.to_string();
        let (rejects, next) = pages::page(found, name, |_| true, self.limit, &cursors, None)?;
        let mut table = Table::new(&["key", "reason", "what"]);
        for reject in &rejects {
            table.row([line(&reject.key.join(", "), 36), reason(reject), line(&reject.message, 400)]);
        }
        let text = match rejects.len() {
            0 => "Nothing is set aside.\n".to_owned(),
            n => {
                format!("{}\n{} set aside\n{}", table.render(), counted(n as u64, "row"), pages::more(next.as_deref()))
            }
        };
        Output::new(&json!({ "rejects": rejects, "next": next }), text)
    }
}

fn reason(reject: &RejectRecord) -> String {
    let closed = if reject.open { "" } else { " (closed)" };
    match reject.field.as_ref().or(reject.column.as_ref()) {
        Some(place) => format!("{} in {place}{closed}", migration::word(&reject.code)),
        None => format!("{}{closed}", migration::word(&reject.code)),
    }
}
