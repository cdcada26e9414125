//! `heirloom detect`: which tables of a database look like memories, and a migration file to start from.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::detect::{self, Candidate};
use heirloom_migrate::source::{self, Source};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, WIDTH, count, wrap};

/// Tables that are shown on a terminal; JSON lists all.
const SHOWN: usize = 8;

/// Arguments of `heirloom detect`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// Where to look: postgres://…, sqlite:FILE, or `store` for the configured store's own database
    pub url: String,
    /// Write the proposed migration file here; an existing file is never overwritten
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub out: Option<PathBuf>,
    /// Propose a file for this table instead of the likeliest
    #[arg(long, value_name = "TABLE")]
    #[serde(default)]
    pub table: Option<String>,
}

impl Operation for Detect {
    const NAME: &'static str = "detect";
    const SUMMARY: &'static str = "Find tables that look like memories";
    const DETAIL: &'static str = "Reads the catalog and a bounded look into each likely table, and writes nothing to the database. The \
        proposed file can be planned as it stands; read it all the same. A URL with a password is written as \
        env:LEGACY_DATABASE_URL.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let source: Box<dyn Source> = match self.url.as_str() {
            "store" => source::open("store", context.existing().await?).await?,
            url => source::open_alone(url).await?,
        };
        let found = detect::detect(source.as_ref(), &self.url, self.table.as_deref()).await?;
        let chosen = self.choose(&found)?;
        let mut text = table(&found);
        match (chosen, &self.out) {
            (None, _) => {
                text.push_str("\nNone of them looks like memories. `--table TABLE` proposes a file all the same.\n")
            }
            (Some(candidate), Some(out)) => {
                write_new(out, &candidate.file)?;
                text.push_str(&format!("\nWrote {} for {}\n", out.display(), candidate.table));
                text.push_str(&format!("Read it, then `heirloom plan {}`\n", out.display()));
            }
            (Some(candidate), None) => {
                text.push_str(&format!("\nA file to start from, for {} (--out FILE writes it):\n\n", candidate.table));
                text.push_str(&candidate.file);
            }
        }
        let json = serde_json::json!({
            "candidates": found,
            "table": chosen.map(|candidate| &candidate.table),
            "written": chosen.and(self.out.as_ref()),
        });
        Ok(Output::new(&json, text)?.holding(chosen.is_some()))
    }
}

impl Detect {
    /// The table asked for, else the likeliest with a proposed file.
    fn choose<'a>(&self, found: &'a [Candidate]) -> Result<Option<&'a Candidate>> {
        let proposed = |candidate: &&Candidate| !candidate.file.is_empty();
        let Some(table) = &self.table else { return Ok(found.iter().find(proposed)) };
        let named = found.iter().find(|candidate| candidate.is_called(table));
        match named {
            None => Err(Error::Argument {
                argument: "--table",
                what: format!("there is no table {table} that this role may read"),
                accepted: format!(
                    "there are {} tables; `heirloom detect` without --table lists the likeliest",
                    found.len()
                ),
            }),
            Some(candidate) if candidate.file.is_empty() => Err(Error::Argument {
                argument: "--table",
                what: format!("no file can be proposed for {table}: {}", candidate.why.join("; ")),
                accepted: "write one by hand: docs/reference/migration-file.md".into(),
            }),
            Some(candidate) => Ok(Some(candidate)),
        }
    }
}

fn write_new(path: &std::path::Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(Error::file(path))?;
    file.write_all(text.as_bytes()).map_err(Error::file(path))
}

fn table(found: &[Candidate]) -> String {
    let mut table = Table::new(&["table", ">rows", ">score", "preset"]);
    for candidate in found.iter().take(SHOWN) {
        table.row([
            candidate.table.clone(),
            candidate.rows.map_or_else(|| "?".to_owned(), count),
            candidate.score.to_string(),
            candidate.preset.clone().unwrap_or_default(),
        ]);
    }
    let mut text = table.render();
    let more = found.len().saturating_sub(SHOWN);
    if more > 0 {
        text.push_str(&format!("  and {more} more, less likely\n"));
    }
    if let Some(best) = found.first() {
        text.push_str(&format!("\nWhy {}:\n", best.table));
        for why in &best.why {
            for (i, line) in wrap(why, WIDTH - 4).iter().enumerate() {
                text.push_str(if i == 0 { "  - " } else { "    " });
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}
