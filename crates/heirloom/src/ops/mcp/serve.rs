//! `heirloom mcp`: tools for one agent over stdio.

use clap::Args;
use heirloom_engine::Location;
use heirloom_store::StoreError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::mcp::stdio::{self, Serving};
use crate::mcp::tools::Offer;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom mcp`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServeMcp {
    /// A namespace the agent may use, and no others (can be repeated) [default: any it names]
    #[arg(long = "namespace", short, value_name = "NAMESPACE")]
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Also offer the platform's memory tools, for this workspace of the tree
    #[arg(long, value_name = "ID")]
    pub workspace: Option<String>,
    /// Also offer pgmnemo's tools
    #[arg(long)]
    #[serde(default)]
    pub pgmnemo: bool,
    /// Offer only tools that read
    #[arg(long)]
    #[serde(default)]
    pub read_only: bool,
}

impl Operation for ServeMcp {
    const NAME: &'static str = "mcp serve";
    const SUMMARY: &'static str = "Serve an agent over stdin and stdout";
    const DETAIL: &'static str = "An agent starts it; `heirloom mcp install` sets that up. Ends when stdin does. Several can \
        run on one embedded store: the first has it open and answers the others. A server is \
        asked as a login of its own, not as the owner.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let caller = super::guest(context, &self.namespaces, self.read_only, self.workspace.is_some())?;
        let terms = json!({
            "namespaces": self.namespaces, "workspace": self.workspace, "pgmnemo": self.pgmnemo,
            "read_only": self.read_only,
        });
        let offer = Offer { workspace: self.workspace, pgmnemo: self.pgmnemo };
        let own = context.call(context.caller().clone()).stopped_by(context.cancel().clone());
        // Now, and not with the first call: whoever set the agent up is looking. A server that is away may come back.
        if matches!(context.location(), Ok(Location::Server(_)))
            && let Err(error @ Error::Store(StoreError::MayNotServe(_))) = context.check_serving().await
        {
            return Err(error);
        }
        stdio::serve(own, Serving { offer, caller, terms }).await?;
        // stdout is the wire: nothing else is said there.
        Output::new(&Value::Null, "")
    }
}
