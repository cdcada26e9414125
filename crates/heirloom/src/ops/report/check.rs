//! `heirloom report check`: holds a file of evidence against its signature and itself. Needs no database.

use std::path::{Path, PathBuf};

use clap::Args;
use heirloom_migrate::report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::{Doors, Operation, Output};
use crate::text::counted;

/// Arguments of `heirloom report check`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckReport {
    /// The report.json
    pub file: PathBuf,
    /// The public key that must have signed it, 64 hex digits; without it, whoever signed is named
    #[arg(long, value_name = "PUBLIC")]
    pub key: Option<String>,
}

impl Operation for CheckReport {
    const NAME: &'static str = "report check";
    const SUMMARY: &'static str = "Check evidence against its signature and itself";
    const DETAIL: &'static str = "Reads report.json and report.json.sig beside it, and no database. Exit code 3 when the signature is not of \
        this file or this key, the Merkle root is not that of the chunks, or the counts do not add up.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, _context: &Context) -> Result<Output> {
        let evidence = std::fs::read(&self.file).map_err(Error::file(&self.file))?;
        let beside = beside(&self.file);
        let signed = match std::fs::read(&beside) {
            Ok(signed) => Some(signed),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::file(&beside)(error)),
        };
        let checked = report::check(&evidence, signed.as_deref(), self.key.as_deref())?;
        let holds = checked.problems.is_empty();
        let mut text = format!(
            "{}: {}, {}\n",
            self.file.display(),
            counted(checked.migrations as u64, "migration"),
            match &checked.signed_by {
                Some(key) => format!("signed by {key}"),
                None => "not signed".to_owned(),
            }
        );
        checked.problems.iter().for_each(|problem| text.push_str(&format!("  {problem}\n")));
        text.push_str(if holds { "It holds\n" } else { "It does not hold\n" });
        let json = json!({
            "migrations": checked.migrations, "signed_by": checked.signed_by, "problems": checked.problems, "holds": holds,
        });
        Ok(Output::new(&json, text)?.holding(holds))
    }
}

/// Where the signature of a file stands.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}
