//! Where one tenant stands, by its plan and the ledger. The source stays closed.

use std::sync::Arc;

use heirloom_engine::Database;
use heirloom_migrate::fleet::{Line, Pulse, State};
use heirloom_migrate::ledger::{self, RunSummary};
use heirloom_migrate::soak;

use super::super::targets::Place;
use super::super::{Crew, Item, failed};
use super::{planned, ran};
use crate::error::Result;

/// Looks at one tenant.
///
/// # Errors
/// When its plan is damaged or its store does not answer. That there is no plan yet is no error.
pub async fn run(item: Arc<Item>, crew: Arc<Crew>, pulse: Pulse) -> Result<Line> {
    item.migration()?;
    let place = crew.targets.place(item.target()?)?;
    match item.plan.exists() {
        true => Box::pin(look(&item, &crew, &pulse, &place)).await,
        false => Ok(Line::new(item.name())),
    }
}

async fn look(item: &Item, crew: &Crew, pulse: &Pulse, place: &Place) -> Result<Line> {
    let plan = item.kept_plan()?;
    let mut line = planned(item, &plan);
    if !item.target()?.is_there() {
        item.unchanged(&plan)?;
        return Ok(line);
    }
    pulse.knock(true);
    let database = place.database().await?;
    pulse.knock(false);
    if let Some(run) = ran(&mut line, database, &plan).await? {
        recorded(&mut line, database, &run, crew.clock.now()).await?;
    }
    if let Err(error) = item.unchanged(&plan) {
        match line.state {
            State::Retired => {
                line.notes.push("the tenants file or its template changed since; it is retired".to_owned())
            }
            _ => return Ok(failed(line, &error)),
        }
    }
    Ok(line)
}

/// Fills in what was counted of its days and found by its comparison.
pub(super) async fn recorded(
    line: &mut Line,
    database: &Database,
    run: &RunSummary,
    now: jiff::Timestamp,
) -> Result<()> {
    let client = database.client().await?;
    if [State::Soaking, State::Soaked, State::Retired].contains(&line.state) {
        let soak = soak::status(&client, run, now).await?;
        line.soaked_days = Some(u64::from(soak.calendar.counted));
        line.asked(soak.last.and_then(|sweep| sweep.shadow));
    }
    if let Some(proof) = ledger::verified(&client, run.run_id).await? {
        line.explained = Some(proof.explained);
        line.verified = Some(proof.equal);
    }
    Ok(())
}
