//! One sweep of a tenant's soak, which is started where the tenant is verified and not watched yet: what a timer calls.

use std::sync::Arc;

use heirloom_migrate::MigrateError;
use heirloom_migrate::audit::anchor;
use heirloom_migrate::clock::Clock;
use heirloom_migrate::fleet::{Line, Pulse, State};
use heirloom_migrate::ledger::{self, RunState};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::soak::{self, Task};

use super::super::targets::Place;
use super::super::{Crew, Item, failed};
use super::{open, planned};
use crate::error::Result;

/// What to do beside sweeping.
#[derive(Debug, Clone)]
pub struct How {
    /// Read every row, also where nothing was written since the last clean sweep.
    pub full: bool,
    /// Compare and write nothing.
    pub check_only: bool,
    /// What time it is.
    pub clock: Clock,
}

/// Sweeps one tenant.
///
/// # Errors
/// As [`soak::start`] and [`soak::sweep`]. A divergence is in the line.
pub async fn run(item: Arc<Item>, crew: Arc<Crew>, pulse: Pulse, how: How) -> Result<Line> {
    let plan = item.read_plan()?;
    let place = crew.targets.place(item.target()?)?;
    let done = Box::pin(sweep(&item, &crew, &pulse, &place, &plan, how)).await;
    place.done().await;
    done
}

async fn sweep(item: &Item, crew: &Crew, pulse: &Pulse, place: &Place, plan: &Plan, how: How) -> Result<Line> {
    let mut line = planned(item, plan);
    let sides = open(item, crew, place, pulse).await?;
    let store = place.store().await?;
    let path = anchor::path_for(&item.plan);
    let verified = {
        let client = sides.database.client().await?;
        match ledger::exists(&client).await? {
            true => ledger::find_run(&client, plan.run_id).await?.is_some_and(|run| run.state == RunState::Verified),
            false => false,
        }
    };
    let head = anchor::read(&path)?;
    let task = |head| Task {
        plan,
        source: &sides.source,
        store,
        clock: &how.clock,
        program: env!("CARGO_PKG_VERSION"),
        anchor: head,
        check_only: how.check_only,
    };
    let mut newest = head.clone();
    if verified {
        newest = soak::start(&task(head.as_ref()), false).await?.head;
        if let Some(head) = newest.as_ref().filter(|_| !how.check_only) {
            anchor::write(&path, head)?;
        }
        if how.check_only {
            line.notes.push("the soak could start".to_owned());
            return Ok(line);
        }
    }
    pulse.beat();
    let shown = line.clone();
    let found = soak::sweep(&task(newest.as_ref()), how.full, &mut |done, _| {
        pulse.beat();
        crew.at_work(&shown, State::Soaking, done);
    })
    .await?;
    if let Some(head) = found.head.as_ref().filter(|head| !how.check_only && newest.as_ref() != Some(*head)) {
        anchor::write(&path, head)?;
    }
    {
        let client = sides.database.client().await?;
        if let Some(run) = ledger::find_run(&client, plan.run_id).await? {
            line.ran(&run);
        }
    }
    line.soaked_days = Some(u64::from(found.calendar.counted));
    line.explained = Some(found.record.explained.values().sum());
    line.verified = Some(found.record.equal);
    line.differences = Some(found.record.divergence_count);
    if found.record.clean {
        return Ok(line);
    }
    let error = MigrateError::Refused {
        what: format!("{} divergences between old and new; the clock starts again", found.record.divergence_count),
        cure: format!("`heirloom soak status {}` names row and column", item.plan.display()),
    };
    Ok(failed(line, &error.into()))
}
