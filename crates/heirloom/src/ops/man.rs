//! `heirloom man`: the manual page, made from the command tree.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom man`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Man {
    /// A command; the page of `heirloom` itself when absent
    pub command: Option<String>,
}

impl Operation for Man {
    const NAME: &'static str = "man";
    const SUMMARY: &'static str = "Print the manual page";
    const DETAIL: &'static str = "Read it with: heirloom man | man -l -";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, _context: &Context) -> Result<Output> {
        let mut tree = crate::command::tree();
        tree.build();
        let command = match &self.command {
            None => tree,
            Some(name) => tree.find_subcommand(name).cloned().ok_or_else(|| Error::Argument {
                argument: "COMMAND",
                what: format!("`{name}` is not a command"),
                accepted: "`heirloom --help` lists them".to_owned(),
            })?,
        };
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Error::Bug(format!("the manual page cannot be made: {error}")))?;
        let page = String::from_utf8_lossy(&page).into_owned();
        Output::new(&serde_json::json!({ "page": page }), page)
    }
}
