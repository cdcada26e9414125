//! `heirloom plan`: reads the whole source, writes nothing but the plan's own file.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::plan::{self, Limits, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::{Context, Progress};
use crate::error::{Error, Result};
use crate::ops::migration::{self, Sides};
use crate::ops::{Doors, Operation, Output};
use crate::text::WIDTH;

/// Arguments of `heirloom plan`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakePlan {
    /// The migration file
    pub file: PathBuf,
    /// Where to write the plan [default: FILE with .plan.json for .toml]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Most rows that move in one transaction [default: 5000]
    #[arg(long, value_name = "N")]
    pub chunk_rows: Option<u64>,
    /// Most bytes of source rows that move in one transaction [default: 16777216]
    #[arg(long, value_name = "N")]
    pub chunk_bytes: Option<u64>,
    /// Show the plan, and write no file either
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for MakePlan {
    const NAME: &'static str = "plan";
    const SUMMARY: &'static str = "Show what will happen to every column and value";
    const DETAIL: &'static str = "Reads the source once and writes nothing to source or store. The plan is a file to read and \
        review, and the only thing `heirloom apply` takes. Exit code 3 when something refuses it.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let file = migration::read(&self.file)?;
        let out = self.out.clone().unwrap_or_else(|| Plan::path_for(&self.file));
        // Reading a large source takes its time; that there is no place for the plan is said before it.
        if !self.check_only {
            migration::can_hold_a_file(&out)?;
        }
        let opened = Sides::open(context, &file).await?;
        let label = file.name.clone();
        let mut progress = |at| {
            let (done, total) = match at {
                plan::Progress::Reading { rows, of, .. } => (rows, of.unwrap_or(0)),
                plan::Progress::Asking { done, of } => (done, of),
            };
            context.watch().progress(&Progress { label: label.clone(), done, total, rejected: 0 });
        };
        let request = plan::Request {
            foreign: opened.foreign.as_deref(),
            file: &file,
            source: opened.source.as_ref(),
            target: opened.database,
            heirloom: env!("CARGO_PKG_VERSION"),
            now: jiff::Timestamp::now(),
            limits: self.limits()?,
            progress: &mut progress,
        };
        let mut plan = plan::make(request).await?;
        if let Some(place) = opened.stands_in_for {
            plan.target.display = place;
            plan.seal();
        }
        let mut text = plan::report_text(&plan, WIDTH);
        if !self.check_only {
            plan.write(&out)?;
            text.push_str(&format!("\nThe plan is {}\n", out.display()));
            if plan.refusals.is_empty() {
                text.push_str(&format!("Next: `heirloom apply {}`\n", out.display()));
            }
        }
        let file = (!self.check_only).then(|| out.display().to_string());
        let json = json!({
            "file": file, "digest": plan.digest, "run_id": plan.run_id, "counts": plan.counts,
            "columns": plan.columns, "enumerations": plan.enumerations, "rejects": plan.rejects,
            "namespaces": plan.namespaces, "dimensions": plan.dimensions, "findings": plan.findings,
            "refusals": plan.refusals, "chunks": plan.chunks.len(),
        });
        Ok(Output::new(&json, text)?.holding(plan.refusals.is_empty()))
    }
}

impl MakePlan {
    fn limits(&self) -> Result<Limits> {
        let default = Limits::default();
        let limit = |argument, given: Option<u64>, default| match given {
            Some(0) => Err(Error::Argument {
                argument,
                what: "0 was given".to_owned(),
                accepted: "1 or more is accepted".to_owned(),
            }),
            given => Ok(given.unwrap_or(default)),
        };
        Ok(Limits {
            chunk_rows: limit("--chunk-rows", self.chunk_rows, default.chunk_rows)?,
            chunk_bytes: limit("--chunk-bytes", self.chunk_bytes, default.chunk_bytes)?,
        })
    }
}
