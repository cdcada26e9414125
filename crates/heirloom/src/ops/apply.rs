//! `heirloom apply`: hands down what a plan says, chunk after chunk. Running it again writes nothing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use heirloom_migrate::apply::{self, Applied, ApplyRequest, Follow, Followed, Manners, Options, Rate, Stop};
use heirloom_migrate::failpoint::Failpoints;
use heirloom_migrate::file::Budget;
use heirloom_store::{Store, UpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attach::Lent;
use crate::config::Config;
use crate::context::{Context, Progress, Watch};
use crate::error::{Error, Result};
use crate::ops::migration::{self, Opened};
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, count, counted};

/// How often following tells of itself, at most.
const TOLD_EVERY: Duration = Duration::from_secs(2);

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
    /// How fast, and when it waits for others
    #[command(flatten)]
    #[serde(flatten)]
    pub polite: Polite,
    /// Forget what was handed down and is deleted at the source by now, as long as it is not more than so many rows, or so
    /// many per cent of those handed down
    #[arg(long, value_name = "BUDGET", num_args = 0..=1, require_equals = true, default_missing_value = "10%")]
    pub propagate_deletes: Option<String>,
    /// Remove the table and the triggers that `[source] outbox` made at the source, and do nothing else
    #[arg(long, conflicts_with_all = ["check_only", "follow"])]
    #[serde(default)]
    pub remove_outbox: bool,
    /// Keep catching up with the source until it is stopped
    #[arg(long, conflicts_with = "check_only")]
    #[serde(default)]
    pub follow: bool,
    /// Seconds between two passes of --follow [default: 1]
    #[arg(long, value_name = "SECONDS", requires = "follow")]
    pub every: Option<u64>,
    /// Seconds after which --follow compares every row's version, for deleted rows and for changes no time tells
    /// [default: 60]
    #[arg(long, value_name = "SECONDS", requires = "follow")]
    pub look_every: Option<u64>,
    /// Seconds that a pass of --follow reaches back behind the newest change before it: longer than a transaction at the
    /// source takes, and its clocks differ [default: 5]
    #[arg(long, value_name = "SECONDS", requires = "follow")]
    pub overlap: Option<u64>,
}

/// How fast rows are handed down, and when that waits for others.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
pub struct Polite {
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

impl Polite {
    /// How fast.
    ///
    /// # Errors
    /// When a rate is 0.
    pub(crate) fn rate(&self) -> Result<Rate> {
        Ok(Rate { rows: above_zero("--rate", self.rate)?, bytes: above_zero("--byte-rate", self.byte_rate)? })
    }

    /// When it waits.
    pub(crate) fn manners(&self, context: &Context) -> Manners {
        Manners {
            pause_files: self.pause_file.iter().map(|file| context.path(file)).collect(),
            lag_bytes: self.max_lag,
            lock_waits: self.max_lock_waits,
            active: self.max_active,
        }
    }
}

impl Operation for Apply {
    const NAME: &'static str = "apply";
    const SUMMARY: &'static str = "Hand memories down as a plan says";
    const DETAIL: &'static str = "It can be interrupted and run again at any time: what is done stays done, and nothing is \
        written twice. The store is installed when it is not there yet. Any number of processes, on any hosts, may apply one \
        plan at a time; `heirloom status` shows who is at work and what each waits for. With `--follow` it goes on with what \
        changes at the source until it is stopped.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        if self.check_only {
            return self.check(context).await;
        }
        if self.remove_outbox {
            return self.clear(context).await;
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
        // The embedded engine has one owner: who wants to see how far it is asks here. An owner that is asked to apply is open
        // to all anyway.
        let lent = Lent::to_readers();
        if !context.is_attached() {
            lent.lend(context).await;
        }
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
        };
        lent.end();
        let done = done?;
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
        foreign: opened.foreign.as_deref(),
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

fn above_zero(argument: &'static str, given: Option<u64>) -> Result<Option<u64>> {
    match given {
        Some(0) => Err(Error::Argument {
            argument,
            what: "0 was given".to_owned(),
            accepted: "1 or more is accepted".to_owned(),
        }),
        given => Ok(given),
    }
}

/// Tells how following goes: when it begins, and afterwards at most every few seconds, when something came.
fn telling(watch: Arc<dyn Watch>) -> impl Fn(&Followed) + Send + Sync {
    let last = Mutex::new((Followed::default(), None::<Instant>));
    move |now| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let rows =
            |of: &Followed| [of.inserted, of.updated, of.restored, of.open_rejects, of.gone.rows, of.gone.forgotten];
        let first = last.1.is_none();
        let quiet = last.1.is_some_and(|told| told.elapsed() < TOLD_EVERY);
        if !first && (quiet || rows(&last.0) == rows(now)) {
            return;
        }
        let came = caught_up(now);
        watch.note(&if first {
            "Following; the first SIGINT ends it".to_owned()
        } else {
            format!("Following: {came}")
        });
        *last = (*now, Some(Instant::now()));
    }
}

/// What following came to, in a line.
fn caught_up(followed: &Followed) -> String {
    let mut parts = Vec::new();
    for (rows, what) in [
        (followed.inserted, "new"),
        (followed.updated, "updated"),
        (followed.restored, "restored"),
        (followed.gone.forgotten, "forgotten as at the source"),
        (followed.gone.rows, "gone from the source"),
        (followed.open_rejects, "set aside"),
    ] {
        if rows > 0 {
            parts.push(format!("{} {what}", count(rows)));
        }
    }
    let came = if parts.is_empty() { "nothing came".to_owned() } else { parts.join(", ") };
    format!("{came}; a change takes at most {:.1} s", followed.lag_ms as f64 / 1_000.0)
}

impl Apply {
    fn deletes(&self) -> Result<Option<Budget>> {
        let Some(text) = &self.propagate_deletes else { return Ok(None) };
        Budget::parse(text).map(Some).ok_or_else(|| Error::Argument {
            argument: "--propagate-deletes",
            what: format!("`{text}` is no budget"),
            accepted: "a number of rows such as 12, or a share of them such as 0.5%, is accepted".to_owned(),
        })
    }

    fn following(&self, context: &Context) -> Result<Option<Follow>> {
        let seconds = |given: Option<u64>, otherwise| Duration::from_secs(given.unwrap_or(otherwise));
        above_zero("--every", self.every)?;
        above_zero("--look-every", self.look_every)?;
        let watch = Arc::clone(context.watch());
        Ok(self.follow.then(|| Follow {
            every: seconds(self.every, 1),
            look_every: seconds(self.look_every, 60),
            overlap: seconds(self.overlap, 5),
            told: Arc::new(telling(watch)),
        }))
    }

    fn options(&self, context: &Context) -> Result<Options> {
        above_zero("--workers", self.workers.map(|workers| workers as u64))?;
        let watch = Arc::clone(context.watch());
        Ok(Options {
            workers: self.workers,
            rate: self.polite.rate()?,
            together: None,
            manners: self.polite.manners(context),
            note: Some(Arc::new(move |sentence: &str| watch.note(sentence))),
            seat: None,
            waits: None,
            alone: true,
            deletes: self.deletes()?,
            follow: self.following(context)?,
            failpoints: failpoints()?,
            lease: above_zero("--lease", self.lease)?.map_or(apply::LEASE, Duration::from_secs),
        })
    }

    /// Everything apply checks, and what is left to do; with no store yet, all that can be checked without one.
    async fn check(&self, context: &Context) -> Result<Output> {
        let opened = Opened::to_read(context, &self.plan).await?;
        let mut outbox = None;
        let done = match opened.inspect().await? {
            None => apply::check_without_store(&opened.plan, opened.source.as_ref()).await?,
            Some(_) => {
                let store = Store::open(opened.database).await?;
                outbox = apply::outbox_seen(&opened.plan, opened.source.as_ref(), store.meta().store_id).await?;
                let mut silent = |_| {};
                let request = request(&opened, &store, &Stop::default(), true, Options::default(), &mut silent);
                apply::run(request).await?
            }
        };
        let (plan, chunks) = (self.plan.display(), counted(u64::from(done.chunks), "chunk"));
        let left = match done.chunks - done.chunks_done {
            0 => "is done; every row is looked at again".to_owned(),
            left => format!("holds; {} of {chunks} to do, nothing was written", count(u64::from(left))),
        };
        let outbox = outbox.map_or_else(String::new, |seen| {
            let does = if seen.is_there { "notes" } else { "would note, made by --follow," };
            format!(
                "At the source {} {does} what is written to {}, by a function and four triggers\n",
                seen.outbox, seen.table
            )
        });
        Output::new(&done, format!("{}: the plan {left}\n{outbox}Next: `heirloom apply {plan}`\n", done.name))
    }

    /// Removes what `outbox` made at the source.
    async fn clear(&self, context: &Context) -> Result<Output> {
        let opened = Opened::to_write(context, &self.plan).await?;
        let store = Store::open(opened.database).await?;
        let (source, id) = (opened.source.as_ref(), store.meta().store_id);
        let removed = apply::remove_outbox(&opened.plan, source, id, &failpoints()?).await?;
        let text = match &removed {
            Some(outbox) => format!("Removed from the source: {outbox}, its function and its triggers\n"),
            None => "Nothing of an outbox is at the source\n".to_owned(),
        };
        Output::new(&serde_json::json!({ "removed": removed }), text)
    }

    fn text(&self, done: &Applied) -> String {
        let mut table = Table::new(&["", ">", ""]);
        let gone = done.gone.unwrap_or_default();
        for (what, rows, note) in [
            ("handed down", done.inserted, ""),
            ("updated", done.updated, "the source changed, the store had not"),
            ("restored", done.restored, "lost in the store without being forgotten"),
            ("there already", done.present, ""),
            ("left forgotten", done.forgotten, ""),
            ("conflicts", done.conflicts, "changed on both sides; the store's edit stays"),
            ("set aside", done.rejected, "`heirloom rejects` lists them"),
            ("forgotten", gone.forgotten, "deleted at the source"),
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
        let followed = done.followed.as_ref().map_or_else(String::new, |followed| {
            format!("Followed {}: {}\n", counted(followed.passes, "pass"), caught_up(followed))
        });
        format!("{head}\n\n{}\n{followed}{next}", table.render())
    }
}
