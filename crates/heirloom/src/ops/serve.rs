//! `heirloom serve`: named by the contract, not in this version, and says so.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, absent};

/// Arguments of `heirloom serve`: none yet.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serve {}

impl Operation for Serve {
    const NAME: &'static str = "serve";
    const SUMMARY: &'static str = "Serve HTTP and the inspector (not in this version)";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, _context: &Context) -> Result<Output> {
        absent::refuse(
            Self::NAME,
            "use the commands (`heirloom remember`, `recall`, `show`, `list`, …), each with --json",
        )
    }
}
