//! `heirloom workspace remove`: a workspace leaves the tree.

use clap::Args;
use heirloom_store::Right;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom workspace remove`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveWorkspace {
    /// Its id
    pub id: String,
}

impl Operation for RemoveWorkspace {
    const NAME: &'static str = "workspace remove";
    const SUMMARY: &'static str = "Take a workspace out of the tree";
    const DETAIL: &'static str = "Its children become roots of organisations of their own. Its memories stay.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        context.store().await?.remove_workspace(&self.id).await?;
        let text = format!("Removed {}; its memories stay.\n", self.id);
        Output::new(&json!({ "removed": self.id }), text)
    }
}
