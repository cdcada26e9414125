//! One sweep of a tenant's soak, which is started where the tenant is verified and not watched yet: what a timer calls.

use heirloom_migrate::MigrateError;
use heirloom_migrate::fleet::{Line, State};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::soak::{self, Task};

use super::super::{Item, failed};
use super::{Turn, planned, ran};
use crate::error::Result;
use crate::notify;
use crate::ops::desk::{self, Beside};

/// What to do beside sweeping.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Read every row, also where nothing was written since the last clean sweep.
    pub full: bool,
    /// Compare and write nothing.
    pub check_only: bool,
}

/// Sweeps one tenant.
///
/// # Errors
/// As [`soak::start`] and [`soak::sweep`]. A divergence is in the line.
pub async fn run(turn: Turn, how: How) -> Result<Line> {
    let Turn { item, crew, pulse, plan, .. } = &turn;
    let mut line = planned(item, plan);
    if let Some(line) = turn.retired(&mut line).await? {
        return Ok(line);
    }
    watched(item, plan, line.state)?;
    let sides = turn.open(&mut line).await?;
    let store = turn.store(&sides).await?;
    let mut beside = Beside::read(&item.plan, plan.run_id)?;
    // One that began, and whose head was not outside before its process ended, is taken up.
    let half_begun = line.state == State::Soaking && beside.is_missing() && !how.check_only;
    if line.state == State::Verified || half_begun {
        let task = beside.task(plan, &sides.source, store, &crew.clock, how.check_only);
        let started = soak::start(&task, false).await?;
        if how.check_only {
            line.notes.push("the soak could start".to_owned());
            return Ok(line);
        }
        beside.keep(started.head.as_ref()).await?;
        beside = Beside::read(&item.plan, plan.run_id)?;
    }
    pulse.beat();
    let shown = line.clone();
    let queries = desk::queries(item.shadow.clone(), &crew.recorded, item.migration()?);
    let task =
        Task { shadow: queries.as_deref(), ..beside.task(plan, &sides.source, store, &crew.clock, how.check_only) };
    let found = soak::sweep(&task, how.full, &mut |done, _| {
        pulse.beat();
        crew.at_work(&shown, State::Soaking, done);
    })
    .await?;
    if !how.check_only {
        beside.keep(found.head.as_ref()).await?;
        // Whoever is told may take his time, which is no silence of the tenant's.
        line.notes.extend(pulse.kept(notify::diverged(&crew.notify, &found)).await);
    }
    ran(&mut line, sides.database, plan).await?;
    line.soaked_days = Some(u64::from(found.calendar.counted));
    line.explained = Some(found.record.explained.values().sum());
    line.verified = Some(found.record.equal);
    line.differences = Some(found.record.divergence_count);
    line.asked(found.record.shadow);
    if found.record.clean {
        return Ok(line);
    }
    let error = MigrateError::Refused {
        what: format!("{} divergences between old and new; the clock starts again", found.record.divergence_count),
        cure: format!("`heirloom soak status {}` names row and column", item.plan.display()),
    };
    Ok(failed(line, &error.into()))
}

/// A soak goes on with the plan that it began with, and no other.
fn watched(item: &Item, plan: &Plan, state: State) -> Result<()> {
    match item.unchanged(plan) {
        Err(_) if [State::Soaking, State::Soaked].contains(&state) => Err(item.refuse(
            "the tenants file or its template changed since it was made, and it soaks".to_owned(),
            "put back what was changed to go on with the soak; `heirloom fleet plan --again` makes a new plan, whose soak begins \
             from nothing",
        )),
        other => other,
    }
}
