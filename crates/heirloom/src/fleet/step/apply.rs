//! Hands one tenant's memories down, after its identity was tried in the store.

use std::sync::Arc;

use heirloom_migrate::MigrateError;
use heirloom_migrate::apply::{self, ApplyRequest, Options};
use heirloom_migrate::fleet::{Allow, Line, Pulse, State, probe};
use heirloom_migrate::plan::Plan;
use heirloom_store::Store;

use super::super::gate::Passed;
use super::super::targets::Place;
use super::super::{Crew, Item, gate};
use super::{open, planned, ran, retired};
use crate::error::Result;

/// Applies one tenant's plan.
///
/// # Errors
/// As [`apply::run`]; [`MigrateError::Refused`] when its identity is not bound to its own rows.
pub async fn run(
    item: Arc<Item>,
    crew: Arc<Crew>,
    pulse: Pulse,
    plan: Arc<Plan>,
    passed: Passed,
    check_only: bool,
) -> Result<Line> {
    let place = crew.targets.place(item.target()?)?;
    Box::pin(hand_down(&item, &crew, &pulse, &place, &plan, passed, check_only)).await
}

async fn hand_down(
    item: &Item,
    crew: &Crew,
    pulse: &Pulse,
    place: &Place,
    plan: &Plan,
    passed: Passed,
    check_only: bool,
) -> Result<Line> {
    let mut line = planned(item, plan);
    if place.is_there()
        && let Some(line) = retired(&mut line, crew, pulse, place, plan).await?
    {
        return Ok(line);
    }
    item.unchanged(plan)?;
    let sides = open(item, crew, place, pulse).await?;
    passed.settled(&sides.source, pulse).await?.tell(&mut line);
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
    let mut shown = line.clone();
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
            failpoints: crate::ops::apply::failpoints()?,
            ..Options::default()
        },
        progress: &mut |at| {
            pulse.beat();
            shown.rejected = Some(at.rejected);
            crew.at_work(&shown, State::Applying, at.rows);
        },
    })
    .await?;
    line.written = done.written;
    ran(&mut line, sides.database, plan).await?;
    if !check_only {
        place.grew(done.written).await?;
    }
    if done.stopped && done.chunks_done < done.chunks {
        return Err(crate::error::Error::Interrupted);
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
