//! `heirloom plugin`: named by the contract, not in this version, and says so.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, absent};

/// Arguments of `heirloom plugin`: none yet.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {}

impl Operation for Plugin {
    const NAME: &'static str = "plugin";
    const SUMMARY: &'static str = "Serve the memory plugin's HTTP contract (not in this version)";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, _context: &Context) -> Result<Output> {
        absent::refuse(
            Self::NAME,
            "use `heirloom plan`, `apply` and `verify` to move memories, and the commands with --json to read them",
        )
    }
}
