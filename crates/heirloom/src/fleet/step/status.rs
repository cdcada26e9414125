//! Where one tenant stands, by its plan and the ledger. The source stays closed.

use std::sync::Arc;

use heirloom_migrate::clock::Clock;
use heirloom_migrate::fleet::{Line, Pulse, State};
use heirloom_migrate::{ledger, soak};

use super::super::targets::Place;
use super::super::{Crew, Item};
use super::planned;
use crate::error::Result;

/// Looks at one tenant.
///
/// # Errors
/// When its plan is damaged or its store does not answer. That there is no plan yet is no error.
pub async fn run(item: Arc<Item>, crew: Arc<Crew>, pulse: Pulse, clock: Clock) -> Result<Line> {
    item.migration()?;
    let place = crew.targets.place(item.target()?)?;
    let done = match item.plan.exists() {
        true => Box::pin(look(&item, &pulse, &place, &clock)).await,
        false => Ok(Line::new(item.name())),
    };
    place.done().await;
    done
}

async fn look(item: &Item, pulse: &Pulse, place: &Place, clock: &Clock) -> Result<Line> {
    let plan = item.read_plan()?;
    let mut line = planned(item, &plan);
    if !item.target()?.is_there() {
        return Ok(line);
    }
    pulse.knock(true);
    let database = place.database().await?;
    pulse.knock(false);
    let client = database.client().await?;
    if !ledger::exists(&client).await? {
        return Ok(line);
    }
    if let Some(run) = ledger::find_run(&client, plan.run_id).await? {
        line.ran(&run);
        if [State::Soaking, State::Soaked, State::Retired].contains(&line.state) {
            let soak = soak::status(&client, plan.run_id, clock.now()).await?;
            line.soaked_days = Some(u64::from(soak.calendar.counted));
        }
        if let Some(proof) = ledger::verified(&client, plan.run_id).await? {
            line.explained = Some(proof.explained);
            line.verified = Some(proof.equal);
        }
    }
    Ok(line)
}
