//! `heirloom mcp`: named by the contract, not in this version, and says so.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, absent};

/// Arguments of `heirloom mcp`: none yet.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mcp {}

impl Operation for Mcp {
    const NAME: &'static str = "mcp";
    const SUMMARY: &'static str = "Serve agents over MCP (not in this version)";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, _context: &Context) -> Result<Output> {
        absent::refuse(Self::NAME, "let the agent run `heirloom recall` and `heirloom remember` with --json")
    }
}
