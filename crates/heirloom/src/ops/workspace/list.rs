//! `heirloom workspace list`: the workspaces there are.

use clap::Args;
use heirloom_store::Right;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};
use crate::text::Table;

/// Arguments of `heirloom workspace list`: none.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWorkspaces {}

impl Operation for ListWorkspaces {
    const NAME: &'static str = "workspace list";
    const SUMMARY: &'static str = "List workspaces";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let workspaces = context.store().await?.list_workspaces().await?;
        let json = json!({ "workspaces": workspaces });
        if workspaces.is_empty() {
            return Output::new(&json, "There are no workspaces. Make one: heirloom workspace put ID\n");
        }
        let mut table = Table::new(&["id", "name", "parent", "status"]);
        for workspace in workspaces {
            let parent = workspace.parent_id.unwrap_or_else(|| "-".to_owned());
            table.row([workspace.id, workspace.name, parent, workspace.status]);
        }
        let text = table.render();
        Output::new(&json, text)
    }
}
