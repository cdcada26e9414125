//! `heirloom run show`: a run, the plan it was applied from, its steps and what it set aside.

use clap::Args;
use heirloom_migrate::ledger::{self, Live, RejectTotal, RunSummary, Step};
use heirloom_migrate::plan::{
    ColumnFate, Counts, DimensionCount, Enumeration, Estimate, Finding, NamespaceCount, Plan, RejectCount,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, migration};
use crate::text::{Table, count, line};

/// Arguments of `heirloom run show`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowRun {
    /// The run [default: the latest]
    pub run_id: Option<Uuid>,
}

/// A run, whole but for content.
#[derive(Serialize)]
struct Found {
    run: RunSummary,
    live: Live,
    plan: Planned,
    /// What was set aside, by reason.
    rejects: Vec<RejectTotal>,
    /// The latest 500; `audit list` has every one that counts, page by page.
    steps: Vec<Step>,
}

/// The plan without samples, chunks and the migration file's text: one document, whose lists are as long as the source has
/// columns, words and namespaces.
#[derive(Serialize)]
struct Planned {
    created_at: String,
    file: String,
    heirloom: String,
    source: String,
    target: String,
    key: Vec<String>,
    chunks: usize,
    columns: Vec<ColumnFate>,
    enumerations: Vec<Enumeration>,
    counts: Counts,
    rejects: Vec<RejectCount>,
    namespaces: Vec<NamespaceCount>,
    dimensions: Vec<DimensionCount>,
    findings: Vec<Finding>,
    refusals: Vec<String>,
    estimate: Estimate,
}

impl From<Plan> for Planned {
    fn from(plan: Plan) -> Self {
        Self {
            created_at: plan.created_at.to_string(),
            file: plan.file.path,
            heirloom: plan.heirloom,
            source: plan.source.display,
            target: plan.target.display,
            key: plan.source.key,
            chunks: plan.chunks.len(),
            columns: plan.columns,
            enumerations: plan.enumerations,
            counts: plan.counts,
            rejects: plan.rejects,
            namespaces: plan.namespaces,
            dimensions: plan.dimensions,
            findings: plan.findings,
            refusals: plan.refusals,
            estimate: plan.estimate,
        }
    }
}

impl Operation for ShowRun {
    const NAME: &'static str = "run show";
    const SUMMARY: &'static str = "Show a run of a migration: plan, steps, what was set aside";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let (run, plan, database) = super::stored(context, self.run_id).await?;
        let client = database.client().await.map_err(heirloom_migrate::MigrateError::from)?;
        let live = match ledger::has_runners(&client).await? {
            true => ledger::live(&client, run.run_id).await?,
            false => Live::default(),
        };
        let rejects = ledger::reject_counts(&client, &plan.origin_source()).await?;
        let steps = ledger::steps(&client, run.run_id).await?;
        let mut table = Table::new(&["when", "step", "by"]);
        for step in &steps {
            table.row([&*step.at, &*step.step, &*line(&step.actor, 30)]);
        }
        let text = format!(
            "{}: {}, {} of {} rows\n\n{}",
            run.name,
            migration::word(&run.state),
            count(run.rows),
            count(plan.counts.rows),
            table.render()
        );
        Output::new(&Found { run, live, plan: plan.into(), rejects, steps }, text)
    }
}
