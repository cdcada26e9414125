//! `heirloom rejects export`: the rows that were set aside, whole, into a file that only its owner can read.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::{Doors, Operation, Output};
use crate::text::counted;

/// Arguments of `heirloom rejects export`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRejects {
    /// The file to write, one JSON object a line; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Only of the migration of this name
    #[arg(long)]
    pub name: Option<String>,
    /// Those that were handed down after all, too
    #[arg(long)]
    #[serde(default)]
    pub all: bool,
}

impl Operation for ExportRejects {
    const NAME: &'static str = "rejects export";
    const SUMMARY: &'static str = "Write rows that were set aside to a file";
    const DETAIL: &'static str = "Each line holds the key, the reason and the source row as it was. It is content: the file is \
        readable to its owner only.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let rejects = super::rejects(context, self.name, self.all, 0, 0).await?;
        let mut lines = String::new();
        for reject in &rejects {
            let row: Value = serde_json::from_str(&reject.source_row).unwrap_or_else(|_| json!(reject.source_row));
            let line = json!({
                "name": reject.name, "tenant": reject.tenant, "key": reject.key, "code": reject.code,
                "field": reject.field, "column": reject.column, "message": reject.message, "row": row,
            });
            lines.push_str(&format!("{line}\n"));
        }
        write_new(&self.out, lines.as_bytes()).map_err(Error::file(&self.out))?;
        let file = self.out.display().to_string();
        let text = format!("{} written to {file}\n", counted(rejects.len() as u64, "row"));
        Output::new(&json!({ "file": file, "rows": rejects.len() }), text)
    }
}

fn write_new(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text)
}
