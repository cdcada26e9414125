//! `heirloom plan`: reads the whole source, writes nothing but the plan's own file.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::plan::{self, Limits, Plan, make};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::{Context, Progress};
use crate::error::Result;
use crate::ops::migration::Migration;
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
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let migration = Migration::read(&self.file)?;
        let opened = migration.open(context).await?;
        let label = migration.file.name.clone();
        let mut plan = make::make(make::Request {
            file: &migration.file,
            source: opened.source.as_ref(),
            target: opened.database,
            heirloom: env!("CARGO_PKG_VERSION"),
            now: jiff::Timestamp::now(),
            limits: Limits::default(),
            progress: &mut |at| {
                let (done, total) = match at {
                    make::Progress::Reading { rows, of, .. } => (rows, of.unwrap_or(0)),
                    make::Progress::Asking { done, of } => (done, of),
                };
                context.watch().progress(&Progress { label: label.clone(), done, total, rejected: 0 });
            },
        })
        .await?;
        if let Some(place) = opened.stands_in_for {
            plan.target.display = place;
            plan.seal();
        }
        let out = self.out.clone().unwrap_or_else(|| Plan::path_for(&self.file));
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
