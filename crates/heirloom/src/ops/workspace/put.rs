//! `heirloom workspace put`: a workspace in its place in the tree.

use clap::Args;
use heirloom_store::{PutWorkspace as Request, Right};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom workspace put`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutWorkspace {
    /// Its id, as it stands in workspace:ID
    pub id: String,
    /// What it is called
    #[arg(long)]
    #[serde(default)]
    pub name: Option<String>,
    /// Its parent's id; without one it is the root of an organisation
    #[arg(long, value_name = "ID")]
    pub parent: Option<String>,
    /// A word of its platform's [default: online]
    #[arg(long)]
    pub status: Option<String>,
}

impl Operation for PutWorkspace {
    const NAME: &'static str = "workspace put";
    const SUMMARY: &'static str = "Put a workspace into the tree, or move it";
    const DETAIL: &'static str = "Example: heirloom workspace put 7c1d --name Research --parent 01ab. Its rights follow its place \
        at once; its memories stay where they are.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let store = context.store().await?;
        let request =
            Request { id: self.id, name: self.name.unwrap_or_default(), parent_id: self.parent, status: self.status };
        store.put_workspace(&request).await?;
        let lineage = store.lineage(&request.id).await?;
        let names = |all: &[heirloom_store::NamespaceOf]| {
            all.iter().map(|namespace| namespace.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let text = format!("It reads {}\nIt writes {}\n", names(&lineage.readable), names(&lineage.writable));
        Output::new(&lineage, text)
    }
}
