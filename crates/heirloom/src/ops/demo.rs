//! `heirloom demo`: the whole job on generated data, told on one screen.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::demo;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom demo`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// Where the evidence, the migration files and the plans are written
    #[arg(long, value_name = "DIR", default_value = "heirloom-demo")]
    pub out: PathBuf,
}

impl Operation for Demo {
    const NAME: &'static str = "demo";
    const SUMMARY: &'static str = "Show the main job on generated data";
    const DETAIL: &'static str = "Opens an embedded store of its own (thrown away afterwards, or kept in --data DIR), creates the legacy tables of five teams in it, plans, \
        applies, verifies and recalls, changes a row by hand and finds it, and writes the evidence. Touches no other store. \
        Exit code 0 only if all of it held.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let watch = context.watch();
        // Only a directory named for this very call: the demo must never touch the store somebody works with.
        let config = context.config();
        let named = config.origins.get("database.data").is_some_and(|origin| origin == "--data");
        let data = named.then_some(config.database.data.as_path());
        let report = demo::run(data, &self.out, &|sentence| watch.note(sentence)).await?;
        Ok(Output::new(&report.json(), report.text())?.holding(report.holds()))
    }
}
