//! `heirloom apply`: hands down what a plan says, chunk after chunk. Running it again writes nothing.

use std::path::PathBuf;

use clap::Args;
use heirloom_migrate::apply::{self, Applied, ApplyRequest, Stop};
use heirloom_store::{Store, UpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Progress};
use crate::error::Result;
use crate::ops::migration::{self, Opened};
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, count};

/// Arguments of `heirloom apply`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The plan, as `heirloom plan` wrote it
    pub plan: PathBuf,
    /// Check everything, and write nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

impl Operation for Apply {
    const NAME: &'static str = "apply";
    const SUMMARY: &'static str = "Hand memories down as a plan says";
    const DETAIL: &'static str = "It can be interrupted and run again at any time: what is done stays done, and nothing is \
        written twice. The store is installed when it is not there yet.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let opened = Opened::of_plan(context, &self.plan, !self.check_only).await?;
        let store = self.store(context, &opened).await?;
        let stop = Stop::default();
        let label = opened.plan.name.clone();
        let request = ApplyRequest {
            plan: &opened.plan,
            source: opened.source.as_ref(),
            store: &store,
            heirloom: env!("CARGO_PKG_VERSION"),
            stop: stop.clone(),
            check_only: self.check_only,
            progress: &mut |at| {
                let (done, total, rejected) = (at.rows, at.planned_rows, at.rejected);
                context.watch().progress(&Progress { label: label.clone(), done, total, rejected });
            },
        };
        let running = apply::run(request);
        tokio::pin!(running);
        let done = tokio::select! {
            done = &mut running => done,
            () = context.cancel().cancelled() => {
                stop.ask();
                running.await
            }
        }?;
        let text = text(&done, &self);
        Ok(Output::new(&done, text)?.holding(!done.stopped))
    }
}

impl Apply {
    /// The store; a plan that was made before there was one installs it.
    async fn store(&self, context: &Context, opened: &Opened<'_>) -> Result<Store> {
        if self.check_only || opened.plan.target.store_id.is_some() {
            return context.store().await;
        }
        let options = UpOptions { dimension: opened.plan.target.dimension, ..UpOptions::default() };
        match Store::inspect(opened.database).await? {
            Some(_) => Ok(Store::open(opened.database).await?),
            None => Ok(Store::up(opened.database, &options).await?),
        }
    }
}

fn text(done: &Applied, apply: &Apply) -> String {
    let mut table = Table::new(&["", ">", ""]);
    for (what, rows, note) in [
        ("handed down", done.inserted, ""),
        ("updated", done.updated, "the source changed, the store had not"),
        ("there already", done.present, ""),
        ("left forgotten", done.forgotten, ""),
        ("conflicts", done.conflicts, "changed on both sides; the store's edit stays"),
        ("set aside", done.rejected, "`heirloom rejects` lists them"),
    ] {
        if rows > 0 || what == "handed down" {
            table.row([what, &count(rows), note]);
        }
    }
    let plan = apply.plan.display();
    let next = match (done.stopped, done.chunks_done == done.chunks) {
        (true, _) => format!("Stopped. Go on with `heirloom apply {plan}`\n"),
        (false, true) => format!("Next: `heirloom verify {plan}`\n"),
        (false, false) => String::new(),
    };
    let (state, chunks) = (migration::word(&done.state), count(u64::from(done.chunks)));
    let head = format!("{}: {state}, {} of {chunks} chunks", done.name, count(u64::from(done.chunks_done)));
    format!("{head}\n\n{}\n{next}", table.render())
}
