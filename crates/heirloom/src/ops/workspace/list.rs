//! `heirloom workspace list`: the workspaces there are.

use clap::Args;
use heirloom_store::{Right, Workspace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, pages};
use crate::text::Table;

/// Arguments of `heirloom workspace list`: none.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWorkspaces {
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for ListWorkspaces {
    const NAME: &'static str = "workspace list";
    const SUMMARY: &'static str = "List workspaces";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let all = context.store().await?.list_workspaces().await?;
        let cursors = pages::cursors(context, &self)?;
        let name = |workspace: &Workspace| workspace.id.clone();
        let (workspaces, next) = pages::page(all, name, |_| true, self.limit, &cursors, self.cursor.as_deref())?;
        let json = json!({ "workspaces": workspaces, "next": next });
        if workspaces.is_empty() {
            return Output::new(&json, "There are no workspaces. Make one: heirloom workspace put ID\n");
        }
        let mut table = Table::new(&["id", "name", "parent", "status"]);
        for workspace in workspaces {
            let parent = workspace.parent_id.unwrap_or_else(|| "-".to_owned());
            table.row([workspace.id, workspace.name, parent, workspace.status]);
        }
        let text = table.render() + &pages::more(next.as_deref());
        Output::new(&json, text)
    }
}
