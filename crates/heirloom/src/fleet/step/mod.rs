//! What is done with one tenant, one file a step. Each takes the tenant, what all share and a pulse to show signs of life by,
//! and gives back the tenant's line. To what opens both sides the gate gives a [`Turn`].

pub mod apply;
pub mod plan;
pub mod retire;
pub mod soak;
pub mod status;
pub mod verify;

use std::sync::Arc;

use heirloom_engine::Database;
use heirloom_migrate::fleet::{Line, Pulse, Side, State, Watched};
use heirloom_migrate::ledger::{self, RunState, RunSummary};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::{self, Postgres, Source};
use heirloom_store::Store;

use super::gate::{self, Passed};
use super::targets::{self, Place};
use super::{Crew, Item};
use crate::error::Result;

/// A tenant that the gate let through, with all that a step needs of it.
pub struct Turn {
    pub(super) item: Arc<Item>,
    pub(super) crew: Arc<Crew>,
    pub(super) pulse: Pulse,
    pub(super) place: Arc<Place>,
    pub(super) plan: Arc<Plan>,
    pub(super) passed: Passed,
}

impl Turn {
    /// As [`retired`].
    pub(super) async fn retired(&self, line: &mut Line) -> Result<Option<Line>> {
        retired(line, &self.crew, &self.pulse, &self.place, &self.plan).await
    }

    /// Opens both sides, and settles what the gate left to this: only then may anything of it be read.
    pub(super) async fn open(&self, line: &mut Line) -> Result<Sides<'_>> {
        let sides = open(&self.item, &self.crew, &self.place, &self.pulse).await?;
        self.passed.clone().settled(&sides.source, &self.pulse).await?.tell(line);
        Ok(sides)
    }

    /// The store, which must be there, once its roles are such that tenants are kept apart there.
    pub(super) async fn store(&self, sides: &Sides<'_>) -> Result<&Store> {
        gate::store_roles(&self.item, self.place.looked().await?, sides.database)?;
        self.place.store().await
    }
}

/// Both sides of a tenant.
pub(super) struct Sides<'a> {
    pub(super) source: Watched,
    pub(super) database: &'a Database,
}

/// Opens both sides, or says which of them lets nobody in.
pub(super) async fn open<'a>(item: &Item, crew: &Crew, place: &'a Place, pulse: &Pulse) -> Result<Sides<'a>> {
    let url = item.source_url()?;
    pulse.knock(true);
    let database = place.database().await?;
    let source: Box<dyn Source> = match crew.kept.take_live(item.name(), crew.connect_timeout).await {
        Some(kept) => Box::new(Postgres::over(kept)),
        None => {
            let shown = heirloom_engine::redact_url(url);
            let open = || targets::in_time(source::open(url, database), crew.connect_timeout, &shown);
            crew.kept.opened(open).await?
        }
    };
    pulse.knock(false);
    Ok(Sides { source: Watched::new(source, pulse.clone()), database })
}

/// A line that begins with what the plan says.
pub(super) fn planned(item: &Item, plan: &Plan) -> Line {
    Line {
        state: State::Planned,
        source_rows: Some(plan.counts.rows),
        plan: Some(item.plan.display().to_string()),
        plan_digest: Some(plan.digest.clone()),
        run_id: Some(plan.run_id),
        source: Some(Side::of(&plan.source.display, &plan.source.identity)),
        target: Some(Side::of(&plan.target.display, &plan.target.identity)),
        ..Line::new(item.name())
    }
}

/// Fills in what the ledger says of the plan's run, and gives that back; `None` when nothing of it moved here.
pub(super) async fn ran(line: &mut Line, database: &Database, plan: &Plan) -> Result<Option<RunSummary>> {
    let client = database.client().await?;
    if !ledger::exists(&client).await? {
        return Ok(None);
    }
    let run = ledger::find_run(&client, plan.run_id).await?;
    run.iter().for_each(|run| line.ran(run));
    Ok(run)
}

/// The line of a tenant whose table is put away, with what the ledger knows of it: there is nothing left to read, and that is
/// no failure. `None` for any other.
pub(super) async fn retired(
    line: &mut Line,
    crew: &Crew,
    pulse: &Pulse,
    place: &Place,
    plan: &Plan,
) -> Result<Option<Line>> {
    pulse.knock(true);
    let database = place.existing().await?;
    pulse.knock(false);
    let run = ran(line, database, plan).await?;
    let Some(run) = run.filter(|run| run.state == RunState::Retired) else { return Ok(None) };
    status::recorded(line, database, &run, crew.clock.now()).await?;
    line.notes.push("its table is retired; there is nothing left to read".to_owned());
    Ok(Some(line.clone()))
}
