//! `heirloom mcp call`: one tool, as an agent would call it. What `heirloom mcp` runs for each call.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::mcp::tools::{self, Offer};
use crate::ops::{Doors, Operation, Output, serve, shared};

/// Arguments of `heirloom mcp call`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallTool {
    /// The tool's name
    pub tool: String,
    /// Its arguments, a JSON object
    #[arg(value_name = "JSON", value_parser = shared::json)]
    pub arguments: Option<Value>,
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

impl Operation for CallTool {
    const NAME: &'static str = "mcp call";
    const SUMMARY: &'static str = "Call one tool as an agent would";
    const DETAIL: &'static str =
        "Example: heirloom mcp call -n team:research recall '{\"query\": \"when is staging reset\"}'";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let caller = super::guest(context, &self.namespaces, self.read_only, self.workspace.is_some())?;
        serve::ready_store(context).await?;
        let offer = Offer { workspace: self.workspace, pgmnemo: self.pgmnemo };
        let agent = context.call(caller);
        let arguments = self.arguments.unwrap_or_else(|| json!({}));
        let Some(answer) = tools::call(&agent, &offer, &self.tool, arguments).await else {
            return Err(Error::Usage(tools::unknown(&self.tool, agent.caller(), &offer)));
        };
        let holds = !answer.is_error;
        Ok(Output::new(&answer, format!("{}\n", answer.text))?.holding(holds))
    }
}
