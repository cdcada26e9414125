//! `heirloom completions`: the shell's completion script, made from the command tree.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom completions`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completions {
    /// The shell: bash, elvish, fish, powershell or zsh
    pub shell: String,
}

impl Operation for Completions {
    const NAME: &'static str = "completions";
    const SUMMARY: &'static str = "Print a completion script for a shell";
    const DETAIL: &'static str =
        "For bash: heirloom completions bash > ~/.local/share/bash-completion/completions/heirloom";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, _context: &Context) -> Result<Output> {
        let shell: clap_complete::Shell = self.shell.parse().map_err(|_| Error::Argument {
            argument: "SHELL",
            what: format!("`{}` was found", self.shell),
            accepted: "bash, elvish, fish, powershell and zsh are accepted".to_owned(),
        })?;
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut crate::command::tree(), "heirloom", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        Output::new(&serde_json::json!({ "shell": self.shell, "script": script }), script)
    }
}
