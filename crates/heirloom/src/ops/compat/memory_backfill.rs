//! `heirloom compat memory-backfill`, and the binary when it is called `memory-backfill`.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::backfill;
use crate::compat::memory_backfill::Flags;
use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom compat memory-backfill`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryBackfill {
    /// -dry-run, -apply or -verify, and -workspace UUID, -limit N, -verify-sample N
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    #[serde(default)]
    pub flags: Vec<String>,
}

impl Operation for MemoryBackfill {
    const NAME: &'static str = "compat memory-backfill";
    const SUMMARY: &'static str = "Run the platform's memory-backfill on this engine";
    const DETAIL: &'static str = "Takes the platform's flags, with one dash or two, and its variables: agent_memories of DATABASE_URL go \
        to the store of the plugin at MEMORY_PLUGIN_URL. --check-only is -dry-run. The same when the binary is called \
        memory-backfill. Exit code 3 when a row was set aside or differs. --json comes before the flags.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        Box::pin(backfill::run(context, &Flags::parse(&self.flags)?)).await
    }
}
