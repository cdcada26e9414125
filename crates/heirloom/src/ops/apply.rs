//! `heirloom apply`: hands down what a plan says, chunk after chunk. Running it again writes nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use heirloom_migrate::apply::{self, Applied, ApplyRequest, Failpoints, Manners, Options, Rate, Stop};
use heirloom_store::{Store, UpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::context::{Context, Progress};
use crate::error::{Error, Result};
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
    /// Chunks at a time on a server [default: half the pool's connections, at most one a processor]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Seconds without a sign of life after which another process may take over a chunk [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub lease: Option<u64>,
    /// Most source rows a second
    #[arg(long, value_name = "ROWS")]
    pub rate: Option<u64>,
    /// Most bytes of source rows a second
    #[arg(long, value_name = "BYTES")]
    pub byte_rate: Option<u64>,
    /// Begin no chunk while this file is there
    #[arg(long, value_name = "FILE")]
    pub pause_file: Option<PathBuf>,
    /// Begin no chunk while a replica of the target lags further behind
    #[arg(long, value_name = "BYTES")]
    pub max_lag: Option<u64>,
    /// Begin no chunk while more sessions of the target wait for a lock
    #[arg(long, value_name = "N")]
    pub max_lock_waits: Option<u64>,
    /// Begin no chunk while more sessions of the target, Heirloom's left out, are at work
    #[arg(long, value_name = "N")]
    pub max_active: Option<u64>,
}

impl Operation for Apply {
    const NAME: &'static str = "apply";
    const SUMMARY: &'static str = "Hand memories down as a plan says";
    const DETAIL: &'static str = "It can be interrupted and run again at any time: what is done stays done, and nothing is \
        written twice. The store is installed when it is not there yet. Any number of processes, on any hosts, may apply one \
        plan at a time; `heirloom status` shows who is at work and what each waits for.";
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
        let (stop, options) = (Stop::default(), self.options(context)?);
        let mut progress = watched(context, &opened);
        let running = apply::run(request(&opened, &store, &stop, false, options, &mut progress));
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

/// Where the migrator is to fail; nowhere, unless a test says so.
pub(crate) fn failpoints() -> Result<Failpoints> {
    Ok(Config::failpoints().map_or_else(|| Ok(Failpoints::default()), |text| Failpoints::parse(&text))?)
}

fn request<'a>(
    opened: &'a Opened<'_>,
    store: &'a Store,
    stop: &Stop,
    check_only: bool,
    options: Options,
    progress: &'a mut (dyn FnMut(apply::Progress) + Send),
) -> ApplyRequest<'a> {
    ApplyRequest {
        plan: &opened.plan,
        source: opened.source.as_ref(),
        store,
        heirloom: env!("CARGO_PKG_VERSION"),
        stop: stop.clone(),
        check_only,
        options,
        progress,
    }
}

impl Apply {
    fn options(&self, context: &Context) -> Result<Options> {
        let above_zero = |argument, given: Option<u64>| match given {
            Some(0) => Err(Error::Argument {
                argument,
                what: "0 was given".to_owned(),
                accepted: "1 or more is accepted".to_owned(),
            }),
            given => Ok(given),
        };
        above_zero("--workers", self.workers.map(|workers| workers as u64))?;
        let watch = Arc::clone(context.watch());
        Ok(Options {
            workers: self.workers,
            rate: Rate { rows: above_zero("--rate", self.rate)?, bytes: above_zero("--byte-rate", self.byte_rate)? },
            manners: Manners {
                pause_file: self.pause_file.clone(),
                lag_bytes: self.max_lag,
                lock_waits: self.max_lock_waits,
                active: self.max_active,
            },
            note: Some(Arc::new(move |sentence: &str| watch.note(sentence))),
            alone: true,
            failpoints: failpoints()?,
            lease: above_zero("--lease", self.lease)?.map_or(apply::LEASE, Duration::from_secs),
        })
    }

    /// Everything apply checks, and what is left to do; with no store yet, all that can be checked without one.
    async fn check(&self, context: &Context) -> Result<Output> {
        let opened = Opened::to_read(context, &self.plan).await?;
        let done = match opened.inspect().await? {
            None => apply::check_without_store(&opened.plan, opened.source.as_ref()).await?,
            Some(_) => {
                let store = Store::open(opened.database).await?;
                apply::run(request(&opened, &store, &Stop::default(), true, Options::default(), &mut |_| {})).await?
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
