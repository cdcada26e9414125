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
use crate::text::{Table, count, counted};

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
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        if self.check_only {
            return self.check(context).await;
        }
        let opened = Opened::to_write(context, &self.plan).await?;
        let store = match opened.inspect().await? {
            Some(_) => Store::open(opened.database).await?,
            // Nothing is installed for a plan that cannot be applied.
            None => {
                apply::check_without_store(&opened.plan, opened.source.as_ref()).await?;
                let dimension = opened.plan.target.dimension;
                let language = context.config().store.language.clone();
                Store::up(opened.database, &UpOptions { dimension, language }).await?
            }
        };
        let stop = Stop::default();
        let mut progress = watched(context, &opened);
        let running = apply::run(request(&opened, &store, &stop, false, &mut progress));
        tokio::pin!(running);
        let done = tokio::select! {
            done = &mut running => done,
            () = context.cancel().cancelled() => {
                stop.ask();
                running.await
            }
        }?;
        Ok(Output::new(&done, self.text(&done))?.holding(!done.stopped))
    }
}

/// Tells the watcher of the context how far an apply is.
fn watched<'a>(context: &'a Context, opened: &Opened<'_>) -> impl FnMut(apply::Progress) + Send + use<'a> {
    let label = opened.plan.name.clone();
    move |at| {
        let (done, total, rejected) = (at.rows, at.planned_rows, at.rejected);
        context.watch().progress(&Progress { label: label.clone(), done, total, rejected });
    }
}

fn request<'a>(
    opened: &'a Opened<'_>,
    store: &'a Store,
    stop: &Stop,
    check_only: bool,
    progress: &'a mut (dyn FnMut(apply::Progress) + Send),
) -> ApplyRequest<'a> {
    ApplyRequest {
        plan: &opened.plan,
        source: opened.source.as_ref(),
        store,
        heirloom: env!("CARGO_PKG_VERSION"),
        stop: stop.clone(),
        check_only,
        progress,
    }
}

impl Apply {
    /// Everything apply checks, and what is left to do; with no store yet, all that can be checked without one.
    async fn check(&self, context: &Context) -> Result<Output> {
        let opened = Opened::to_read(context, &self.plan).await?;
        let done = match opened.inspect().await? {
            None => apply::check_without_store(&opened.plan, opened.source.as_ref()).await?,
            Some(_) => {
                let store = Store::open(opened.database).await?;
                apply::run(request(&opened, &store, &Stop::default(), true, &mut |_| {})).await?
            }
        };
        let (plan, chunks) = (self.plan.display(), counted(u64::from(done.chunks), "chunk"));
        let left = match done.chunks - done.chunks_done {
            0 => "is done; every row is looked at again".to_owned(),
            left => format!("holds; {} of {chunks} to do, nothing was written", count(u64::from(left))),
        };
        Output::new(&done, format!("{}: the plan {left}\nNext: `heirloom apply {plan}`\n", done.name))
    }

    fn text(&self, done: &Applied) -> String {
        let mut table = Table::new(&["", ">", ""]);
        for (what, rows, note) in [
            ("handed down", done.inserted, ""),
            ("updated", done.updated, "the source changed, the store had not"),
            ("restored", done.restored, "lost in the store without being forgotten"),
            ("there already", done.present, ""),
            ("left forgotten", done.forgotten, ""),
            ("conflicts", done.conflicts, "changed on both sides; the store's edit stays"),
            ("set aside", done.rejected, "`heirloom rejects` lists them"),
        ] {
            if rows > 0 || what == "handed down" {
                table.row([what, &count(rows), note]);
            }
        }
        let plan = self.plan.display();
        let next = match (done.stopped, done.chunks_done == done.chunks) {
            (true, _) => format!("Stopped. Go on with `heirloom apply {plan}`\n"),
            (false, true) => format!("Next: `heirloom verify {plan}`\n"),
            (false, false) => String::new(),
        };
        let (state, chunks) = (migration::word(&done.state), count(u64::from(done.chunks)));
        let head = format!("{}: {state}, {} of {chunks} chunks", done.name, count(u64::from(done.chunks_done)));
        format!("{head}\n\n{}\n{next}", table.render())
    }
}
