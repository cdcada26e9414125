//! Compares every row of one tenant on both sides, and records it when asked to.

use std::sync::Arc;

use heirloom_migrate::MigrateError;
use heirloom_migrate::fleet::{Line, Pulse, State};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::verify::{self, VerifyRequest};

use super::super::gate::{self, Passed};
use super::super::targets::Place;
use super::super::{Crew, Item, failed};
use super::{open, planned, ran, retired};
use crate::error::Result;
use crate::ops;

/// Verifies one tenant.
///
/// # Errors
/// As [`verify::run`]. Differences are in the line.
pub async fn run(
    item: Arc<Item>,
    crew: Arc<Crew>,
    pulse: Pulse,
    plan: Arc<Plan>,
    passed: Passed,
    record: bool,
) -> Result<Line> {
    let place = crew.targets.place(item.target()?)?;
    Box::pin(compare(&item, &crew, &pulse, &place, &plan, passed, record)).await
}

async fn compare(
    item: &Item,
    crew: &Crew,
    pulse: &Pulse,
    place: &Place,
    plan: &Plan,
    passed: Passed,
    record: bool,
) -> Result<Line> {
    let mut line = planned(item, plan);
    if let Some(line) = retired(&mut line, crew, pulse, place, plan).await? {
        return Ok(line);
    }
    item.unchanged(plan)?;
    let sides = open(item, crew, place, pulse).await?;
    passed.settled(&sides.source, pulse).await?.tell(&mut line);
    gate::store_roles(item, place.looked().await?, sides.database)?;
    let store = place.store().await?;
    pulse.beat();
    let shown = line.clone();
    let found = verify::run(VerifyRequest {
        foreign: None,
        plan,
        source: &sides.source,
        store,
        show_content: false,
        progress: &mut |done, _| {
            pulse.beat();
            crew.at_work(&shown, State::Applied, done);
        },
    })
    .await?;
    if record && found.holds {
        ops::verify::record(plan, item.migration()?, &sides.source, sides.database, &found).await?;
    }
    ran(&mut line, sides.database, plan).await?;
    // What the comparison counted is newer than what the ledger has.
    let explained: u64 = found.explained.values().sum();
    line.source_rows = Some(found.source_rows);
    line.rejected = Some(found.rejected);
    line.migrated = Some(found.source_rows.saturating_sub(found.rejected + line.skipped.unwrap_or(0)));
    line.explained = Some(explained);
    line.verified = Some(found.equal);
    line.differences = Some(found.difference_count);
    if found.holds {
        return Ok(line);
    }
    let error = MigrateError::Refused {
        what: match found.difference_count {
            1 => "1 difference that nobody explains".to_owned(),
            many => format!("{many} differences that nobody explains"),
        },
        cure: format!("`heirloom verify {}` names each row and column", item.plan.display()),
    };
    Ok(failed(line, &error.into()))
}
