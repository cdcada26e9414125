//! The fleet driver: what the operations `fleet …` share. Reads `tenants.toml`, gives each tenant its sides, runs a step for
//! each beside the others, and turns what went wrong into the cure in its line.
//!
//! - `item`: a tenant with its files, references and credentials resolved.
//! - `targets`: the stores, each opened once a process and shared by the tenants that go there.
//! - `gate`: who may read whose rows; asked before anything moves.
//! - `kept`: sources that the gate opened, for the steps to go on with.
//! - [`step`]: what is done with one tenant; one file a step.
//! - `shown`: the table on a terminal.
//!
//! A new step is a file in `step/` and an operation in `ops/fleet/` that hands it to [`Fleet::run`]. Deliberately absent:
//! printing, and anything a single tenant's commands do not do too.

mod gate;
mod item;
mod kept;
mod shown;
pub mod step;
mod targets;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use heirloom_engine::Location;
use heirloom_migrate::apply::Stop;
use heirloom_migrate::clock::Clock;
use heirloom_migrate::fleet::runner::{self, Ended, Limits};
use heirloom_migrate::fleet::{Line, Pick, Pulse, Shard, State, TenantsFile};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::NotifyConfig;
use crate::context::{Context, Stage, TenantLine, Watch};
use crate::error::{Error, Result};
use crate::explain;
use crate::ops::{Output, Verdict};

pub use gate::{Gated, Passed, gated};
pub use item::Item;
pub use targets::{Place, Stay, Targets};

/// What every operation of the fleet is asked: which file, which of its tenants, how many at a time.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The tenants file
    pub file: PathBuf,
    /// Only these tenants, separated by commas (can be repeated)
    #[arg(long, value_name = "TENANTS", action = clap::ArgAction::Append)]
    #[serde(default)]
    pub only: Vec<String>,
    /// All but these tenants, separated by commas (can be repeated)
    #[arg(long, value_name = "TENANTS", action = clap::ArgAction::Append)]
    #[serde(default)]
    pub except: Vec<String>,
    /// Of those, the share of one of several workers, the first being 0
    #[arg(long, value_name = "INDEX/COUNT")]
    pub shard: Option<String>,
    /// Tenants at a time [default: what the file says, else twice the processors]
    #[arg(long, value_name = "N")]
    pub parallel: Option<usize>,
}

/// A fleet, opened: nothing of it is connected yet.
pub struct Fleet {
    /// The file.
    pub file: TenantsFile,
    /// Every tenant of the file.
    pub items: Vec<Arc<Item>>,
    /// Positions of the tenants that are meant.
    pub chosen: Vec<usize>,
    /// What the steps share.
    pub crew: Arc<Crew>,
    limits: Limits,
    _link: Link,
}

/// What the steps of all tenants share.
pub struct Crew {
    /// The stores.
    pub targets: Targets,
    /// Sources that are open already.
    kept: kept::Kept,
    /// Who is watching.
    pub watch: Arc<dyn Watch>,
    /// To stop after what is in hand.
    pub stop: Stop,
    /// How long a database may take to let a tenant in.
    pub connect_timeout: std::time::Duration,
    /// What time it is.
    pub clock: Clock,
    /// Who is told of a divergence.
    pub notify: NotifyConfig,
    /// The file of recorded questions; empty where none are recorded.
    pub recorded: PathBuf,
}

/// Asks a fleet to stop when its command is asked to, wherever that is.
struct Link(tokio::task::JoinHandle<()>);

impl Link {
    fn new(context: &Context, stop: &Stop) -> Self {
        let (cancel, stop) = (context.cancel().clone(), stop.clone());
        Self(tokio::spawn(async move {
            cancel.cancelled().await;
            stop.ask();
        }))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Fleet {
    /// Reads the tenants file and everything it names; opens the configured store when a tenant goes there, so that a store
    /// that another process serves is found out before anything begins. An embedded store that is not there is not made by
    /// looking at it.
    ///
    /// # Errors
    /// When the file is wrong or names no tenant that was asked for. What is wrong with one tenant is said in its line.
    pub async fn to_read(context: &Context, asked: &Asked) -> Result<Self> {
        Self::open(context, asked, false).await
    }

    /// The same, but an embedded store that is not there is made.
    ///
    /// # Errors
    /// As [`Fleet::to_read`].
    pub async fn to_write(context: &Context, asked: &Asked) -> Result<Self> {
        Self::open(context, asked, true).await
    }

    async fn open(context: &Context, asked: &Asked, making: bool) -> Result<Self> {
        let path = context.path(&asked.file);
        if !path.exists() {
            return Err(Error::file(&path)(std::io::ErrorKind::NotFound.into()));
        }
        let file = TenantsFile::load(&path.display().to_string())?;
        let shard = match &asked.shard {
            Some(text) => Some(text.parse::<Shard>().map_err(|what| Error::Argument {
                argument: "--shard",
                what,
                accepted: "an indexed Kubernetes job gives its own as $JOB_COMPLETION_INDEX/COUNT".to_owned(),
            })?),
            None => None,
        };
        let pick = Pick { only: split("--only", &asked.only)?, except: split("--except", &asked.except)?, shard };
        let chosen = pick.of(&file)?;
        let parallel = match asked.parallel {
            Some(0) => {
                return Err(Error::Argument {
                    argument: "--parallel",
                    what: "0 was given".to_owned(),
                    accepted: "1 or more is accepted".to_owned(),
                });
            }
            Some(parallel) => parallel,
            None => file.parallel.unwrap_or_else(usual),
        };
        let items: Vec<Arc<Item>> = item::all(context, &file).into_iter().map(Arc::new).collect();
        let wanted: Vec<&Location> = chosen.iter().filter_map(|at| items[*at].target.as_ref().ok()).collect();
        let targets = Targets::new(context, &wanted, parallel, file.connect_timeout, making).await?;
        let crew = Arc::new(Crew {
            targets,
            kept: kept::Kept::new(parallel.saturating_mul(2)),
            watch: Arc::clone(context.watch()),
            stop: Stop::default(),
            connect_timeout: file.connect_timeout,
            clock: context.clock(),
            notify: context.config().notify.clone(),
            recorded: context.config().soak.record.clone(),
        });
        let limits = Limits { parallel, patience: file.patience };
        let link = Link::new(context, &crew.stop);
        Ok(Self { file, items, chosen, crew, limits, _link: link })
    }

    /// The directory of made migration files and plans.
    pub fn directory(&self) -> PathBuf {
        item::directory(&self.file)
    }

    /// Runs a step for each tenant that is meant, but for those whose line is given already, and gives back a line each.
    pub async fn run<F>(
        &self,
        given: Vec<Option<Line>>,
        step: impl Fn(Arc<Item>, Arc<Crew>, Pulse, usize) -> F,
    ) -> Vec<Line>
    where
        F: Future<Output = Result<Line>> + Send + 'static,
    {
        self.run_unless(given, |_| false, step).await
    }

    /// The same, where tenants are `held` back before they begin, by position in the file.
    async fn run_unless<F>(
        &self,
        given: Vec<Option<Line>>,
        mut held: impl FnMut(usize) -> bool,
        step: impl Fn(Arc<Item>, Arc<Crew>, Pulse, usize) -> F,
    ) -> Vec<Line>
    where
        F: Future<Output = Result<Line>> + Send + 'static,
    {
        let mut given = given;
        given.resize(self.chosen.len(), None);
        let todo: Vec<usize> = (0..self.chosen.len()).filter(|at| given[*at].is_none()).collect();
        for line in given.iter().flatten() {
            self.told(line);
        }
        // One whose step never begins has left as well.
        let stay = |at: &usize| self.items[*at].target.as_ref().ok().and_then(|place| self.crew.targets.stay(place));
        let mut stays: Vec<Option<Stay>> = self.chosen.iter().map(stay).collect();
        stays.iter_mut().zip(&given).filter(|(_, line)| line.is_some()).for_each(|(stay, _)| drop(stay.take()));
        let begin = |at: usize, pulse: Pulse| {
            let position = self.chosen[todo[at]];
            let item = Arc::clone(&self.items[position]);
            let (crew, name) = (Arc::clone(&self.crew), item.name().to_owned());
            let running = step(item, Arc::clone(&crew), pulse, position);
            let stay = stays[todo[at]].take();
            async move {
                let _stay = stay;
                let began = Instant::now();
                let mut line = running.await.unwrap_or_else(|error| failed(Line::new(&name), &error));
                // Not every step needs its source.
                drop(crew.kept.take(&name));
                line.seconds = (began.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0;
                line
            }
        };
        let ended = {
            let told = |at: usize, end: &Ended<Line>| match end {
                Ended::Done(line) => self.told(line),
                other => self.told(&self.lost(self.chosen[todo[at]], other)),
            };
            let held = |at: usize| held(self.chosen[todo[at]]);
            runner::run_unless(todo.len(), self.limits, &self.crew.stop, held, begin, told).await
        };
        for (at, end) in todo.iter().zip(ended) {
            given[*at] = Some(match end {
                Ended::Done(line) => line,
                other => self.lost(self.chosen[*at], &other),
            });
        }
        given.into_iter().flatten().collect()
    }

    /// The line of a tenant whose step did not come to its end.
    fn lost<R>(&self, position: usize, end: &Ended<R>) -> Line {
        let name = self.items[position].name();
        let error = match end {
            Ended::Silent(silence) => Error::Temporary(format!(
                "A database of {name} gave no answer for {} s and was given up",
                silence.as_secs()
            )),
            Ended::Panicked | Ended::Done(_) => Error::Bug(format!("The step of {name} ended in a fault")),
            Ended::NotBegun => Error::Interrupted,
        };
        let mut line = failed(Line::new(name), &error);
        if matches!(end, Ended::Silent(_))
            && let Some(failure) = &mut line.failure
        {
            explain::SILENT.code.clone_into(&mut failure.code);
            failure.hints = vec![explain::SILENT.hint.to_owned()];
        }
        line
    }

    fn told(&self, line: &Line) {
        self.crew.tell(&line.tenant, shown::live(&line.cells()), Stage::Settled);
    }

    /// What the operation gives back: the lines as data and as the table.
    ///
    /// # Errors
    /// [`Error::Bug`] when it has no JSON form.
    pub fn output(&self, lines: &[Line], next: &str) -> Result<Output> {
        self.output_with(lines, "", next)
    }

    /// The same, with who reads and writes for each tenant below the table.
    ///
    /// # Errors
    /// As [`Fleet::output`].
    pub fn output_with_roles(&self, lines: &[Line], next: &str) -> Result<Output> {
        self.output_with(lines, &shown::roles(lines), next)
    }

    fn output_with(&self, lines: &[Line], below: &str, next: &str) -> Result<Output> {
        let holds = lines.iter().all(Line::holds);
        let totals = heirloom_migrate::fleet::Totals::of(lines);
        let json = json!({ "fleet": self.file.name, "tenants": lines, "totals": totals, "holds": holds });
        let mut text = shown::table(lines) + &shown::shadows(lines) + below;
        if holds && !next.is_empty() {
            text.push_str(&format!("\nNext: {next}\n"));
        }
        // One tenant that will not hold a minute later either says more than any number of databases that are down.
        let later = |line: &Line| line.failure.as_ref().is_some_and(|failure| explain::is_temporary(&failure.code));
        let verdict = match (holds, lines.iter().all(|line| line.holds() || later(line))) {
            (true, _) => Verdict::Holds,
            (false, true) => Verdict::NotNow,
            (false, false) => Verdict::Fails,
        };
        Ok(Output { verdict, ..Output::new(&json, text)? })
    }

    /// Closes what is open beside the configured store.
    pub async fn close(&self) {
        self.crew.targets.close().await;
    }
}

/// Tenants at a time when nobody says: twice the processors, because each waits for two databases.
fn usual() -> usize {
    std::thread::available_parallelism().map_or(4, |cores| (2 * cores.get()).clamp(4, 16))
}

/// Names, separated by commas or given one by one.
/// The names of a list. An empty one is refused: an unset variable must not mean everybody.
fn split(argument: &'static str, lists: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for list in lists {
        let named: Vec<String> =
            list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        if named.is_empty() {
            return Err(Error::Argument {
                argument,
                what: "it names nobody".to_owned(),
                accepted: "names of tenants, separated by commas; leave it out to mean all".to_owned(),
            });
        }
        names.extend(named);
    }
    Ok(names)
}

/// A line that ends in an error, with its cure.
pub(crate) fn failed(mut line: Line, error: &Error) -> Line {
    line.fails(item::failure(error));
    line
}

impl Crew {
    /// Tells the watcher how far a tenant is.
    pub(crate) fn at_work(&self, line: &Line, state: State, rows: u64) {
        let shown = Line { state, migrated: Some(rows), ..line.clone() };
        self.tell(&line.tenant, shown::live(&shown.cells()), Stage::AtWork);
    }

    /// Tells the watcher why a tenant goes no further for now.
    pub(crate) fn waiting(&self, line: &Line, rows: u64, reason: &str, first: bool) {
        let shown = Line { migrated: Some(rows), ..line.clone() };
        let stage = if first { Stage::Waits } else { Stage::AtWork };
        self.tell(&line.tenant, shown::waiting(&shown.cells(), reason), stage);
    }

    fn tell(&self, tenant: &str, text: String, stage: Stage) {
        let heading = shown::live(&shown::HEADINGS.map(str::to_owned));
        self.watch.tenant(&TenantLine { heading, label: tenant.to_owned(), text, stage });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::config::Config;
    use crate::context::{Cancel, Context, Unwatched};
    use crate::ops::Op;

    #[tokio::test]
    async fn what_no_operation_of_the_fleet_takes_is_refused_by_name() {
        let context = Context::new(Config::default(), Arc::new(Unwatched), Cancel::default());
        for name in ["plan", "apply", "verify", "soak", "retire", "status", "report"] {
            let op = Op::find(&format!("fleet {name}")).unwrap();
            let refused = (op.run)(&context, json!({ "file": "none.toml", "onyl": ["a"] })).await.unwrap_err();
            assert!(refused.to_string().contains("onyl"), "{name}: {refused}");
        }
    }
}
