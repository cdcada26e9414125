//! Hands one tenant's memories down, after its identity was tried in the store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heirloom_migrate::MigrateError;
use heirloom_migrate::apply::{self, ApplyRequest, Manners, Options, Progress, Rate, Seat, Together};
use heirloom_migrate::fleet::{Allow, Line, Pulse, State, probe};
use heirloom_migrate::plan::Plan;
use heirloom_store::Store;
use tokio::sync::OwnedSemaphorePermit;

use super::super::targets::Place;
use super::super::{Crew, Fleet, Item, gate};
use super::{Turn, planned, ran};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::apply::Polite;

/// How to hand down.
#[derive(Debug, Clone)]
pub struct How {
    /// Check everything, and write nothing.
    check_only: bool,
    /// What the command line says for all.
    manners: Manners,
    /// How fast all may go together.
    together: Option<Together>,
}

impl How {
    /// As the command line says.
    ///
    /// # Errors
    /// When a rate is 0, or below a row a second for each tenant at work: it would wait for the others in a transaction.
    pub fn new(context: &Context, fleet: &Fleet, polite: &Polite, check_only: bool) -> Result<Self> {
        let (rate, parallel) = (polite.rate()?, fleet.limits.parallel);
        if rate.rows.is_some_and(|rows| rows < parallel as u64) {
            return Err(Error::Argument {
                argument: "--rate",
                what: format!("it is less than a row a second for each of {parallel} tenants at a time"),
                accepted: format!("{parallel} or more is accepted, or a smaller --parallel"),
            });
        }
        // As many again may have lent their place and go on.
        let together = rate.limits().then(|| Together::new(rate, 2 * parallel));
        Ok(Self { check_only, manners: polite.manners(context), together })
    }

    /// Why a tenant is not to begin, where a file says so. Who only checks begins nothing.
    pub fn pauses(&self, item: &Item) -> Option<String> {
        if self.check_only { None } else { self.of(item).1.pauses() }
    }

    /// How fast one tenant may go, and when it waits: as the tenants file says, and the command line.
    fn of(&self, item: &Item) -> (Rate, Manners) {
        let (all, own) = (&self.manners, &item.tenant.manners);
        let manners = Manners {
            pause_files: [&all.pause_files[..], &own.pause_files].concat(),
            lag_bytes: all.lag_bytes.or(own.lag_bytes),
            lock_waits: all.lock_waits.or(own.lock_waits),
            active: all.active.or(own.active),
        };
        (item.tenant.rate, manners)
    }
}

/// A tenant's place, and its turn at the store where it needs one: neither while it is paused.
struct Seated {
    pulse: Pulse,
    place: Arc<Place>,
    needs_turn: bool,
    turn: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Seat for Seated {
    fn leave(&self) {
        self.pulse.leave();
        drop(self.held().take());
    }

    fn take(&self) -> bool {
        if !self.pulse.take() {
            return false;
        }
        let mut turn = self.held();
        if self.needs_turn && turn.is_none() {
            *turn = self.place.turn_now();
        }
        !self.needs_turn || turn.is_some()
    }
}

impl Seated {
    fn held(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is shown of a tenant while its rows are handed down. Whatever is shown is a sign of life.
struct Shown {
    crew: Arc<Crew>,
    pulse: Pulse,
    now: Mutex<Now>,
}

struct Now {
    line: Line,
    rows: u64,
    waits: bool,
}

impl Shown {
    fn new(crew: &Arc<Crew>, pulse: &Pulse, line: &Line) -> Arc<Self> {
        let now = Now { line: Line { state: State::Applying, ..line.clone() }, rows: 0, waits: false };
        Arc::new(Self { crew: Arc::clone(crew), pulse: pulse.clone(), now: Mutex::new(now) })
    }

    fn progress(&self, at: Progress) {
        self.pulse.beat();
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        (now.line.rejected, now.rows) = (Some(at.rejected), at.rows);
        self.crew.at_work(&now.line, State::Applying, now.rows);
    }

    fn waits(&self, reason: Option<&str>) {
        self.pulse.beat();
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut now.waits, reason.is_some());
        match reason {
            Some(reason) => self.crew.waiting(&now.line, now.rows, reason, !before),
            None if before => self.crew.at_work(&now.line, State::Applying, now.rows),
            None => {}
        }
    }
}

/// Applies one tenant's plan.
///
/// # Errors
/// As [`apply::run`]; [`MigrateError::Refused`] when its identity is not bound to its own rows.
pub async fn run(turn: Turn, how: How) -> Result<Line> {
    let Turn { item, crew, pulse, place, plan, .. } = &turn;
    let check_only = how.check_only;
    let mut line = planned(item, plan);
    if place.is_there()
        && let Some(line) = turn.retired(&mut line).await?
    {
        return Ok(line);
    }
    item.unchanged(plan)?;
    let sides = turn.open(&mut line).await?;
    let known = plan.target.store_id.is_some();
    if check_only && !known && Store::inspect(sides.database).await?.is_none() {
        gate::roles(item, Some(plan))?;
        apply::check_without_store(plan, &sides.source).await?;
        return Ok(line);
    }
    let store = match check_only {
        true => place.store().await?,
        false => place.prepared(known, plan.target.dimension).await?,
    };
    gate::store_roles(item, place.looked().await?, sides.database)?;
    bound(item, plan, sides.database).await?;
    pulse.beat();
    let (rate, manners) = how.of(item);
    let needs_turn = rate.limits() || how.together.is_some();
    let turn = match needs_turn {
        true => pulse.kept(place.turn()).await,
        false => None,
    };
    let seat = Seated { pulse: pulse.clone(), place: Arc::clone(place), needs_turn, turn: Mutex::new(turn) };
    let shown = Shown::new(crew, pulse, &line);
    let waits = Arc::clone(&shown);
    let done = apply::run(ApplyRequest {
        foreign: None,
        plan,
        source: &sides.source,
        store,
        heirloom: env!("CARGO_PKG_VERSION"),
        stop: crew.stop.clone(),
        check_only,
        options: Options {
            workers: Some(1),
            alone: false,
            rate,
            together: how.together,
            manners,
            waits: Some(Arc::new(move |reason: Option<&str>| waits.waits(reason))),
            seat: Some(Arc::new(seat)),
            failpoints: crate::ops::apply::failpoints()?,
            ..Options::default()
        },
        progress: &mut |at| shown.progress(at),
    })
    .await?;
    line.written = done.written;
    ran(&mut line, sides.database, plan).await?;
    if !check_only {
        place.grew(done.written).await?;
    }
    if done.stopped && done.chunks_done < done.chunks {
        return Err(Error::Interrupted);
    }
    Ok(line)
}

/// The serving role, bound to the plan's namespaces, must see nothing beyond them.
async fn bound(item: &Item, plan: &Plan, database: &heirloom_engine::Database) -> Result<()> {
    if item.allows(Allow::ReadsOthers) {
        return Ok(());
    }
    let namespaces: Vec<String> = plan.namespaces.iter().map(|count| count.namespace.clone()).collect();
    if probe::sees_beyond(database, &namespaces).await? {
        return Err(MigrateError::Refused {
            what: format!(
                "{} sees rows of other namespaces in the store, so its rows would not be kept apart",
                item.name()
            ),
            cure: "run `heirloom up` to put the policies back, and look who altered them".to_owned(),
        }
        .into());
    }
    Ok(())
}
