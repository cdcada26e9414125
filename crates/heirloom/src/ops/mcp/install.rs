//! `heirloom mcp install`: the entry for Heirloom in a client's own settings, shown before it is written.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::mcp::clients::{Client, Entry};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom mcp install`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallMcp {
    /// claude, codex, cursor or vscode
    pub client: String,
    /// A namespace the agent may use, and no others (can be repeated) [default: the settings' own]
    #[arg(long = "namespace", short, value_name = "NAMESPACE")]
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Also offer the platform's memory tools, for this workspace of the tree
    #[arg(long, value_name = "ID")]
    pub workspace: Option<String>,
    /// Offer only tools that read
    #[arg(long)]
    #[serde(default)]
    pub read_only: bool,
    /// The settings file to write [default: the client's own for this user]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Write it without asking; without a terminal nothing is asked, and without this nothing is written
    #[arg(long, short)]
    #[serde(default)]
    pub yes: bool,
}

impl Operation for InstallMcp {
    const NAME: &'static str = "mcp install";
    const SUMMARY: &'static str = "Set up a client to use Heirloom";
    const DETAIL: &'static str = "Shows the file and the entry first. What else is in the file stays. The file is replaced in \
        one step; no copy of the old one is made.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let client: Client = self.client.parse()?;
        super::guest(context, &self.namespaces, self.read_only, false)?;
        let path = match &self.file {
            Some(path) => context.path(path),
            None => client.path()?,
        };
        let entry = Entry::of(context, &self.namespaces, self.workspace.as_deref(), self.read_only)?;
        let change = client.change(&path, &entry)?;
        let mut text = format!("{}\n\n{}\n", change.path.display(), change.shown.trim_end());
        if !change.changes {
            text.push_str("\nIt says so already; nothing was written.\n");
            return Output::new(&json!({ "file": change.path, "written": false, "entry": entry }), text);
        }
        let may = self.yes || confirmed(context, &text)?;
        if may {
            change.write()?;
            let next = format!("\nWritten. Start {} anew; its tools are then there.\n", client.title());
            text = if self.yes { text + &next } else { next.trim_start().to_owned() };
        } else {
            text.push_str("\nNothing was written. The same command with --yes writes it.\n");
        }
        Output::new(&json!({ "file": change.path, "written": may, "entry": entry }), text)
    }
}

/// Shows what would be written and asks, where there is somebody to ask.
fn confirmed(context: &Context, text: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    context.watch().note(text);
    context.watch().note("Write this? [y/N]");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| Error::Usage(format!("no answer can be read ({error}); --yes writes without asking")))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
