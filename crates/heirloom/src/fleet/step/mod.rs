//! What is done with one tenant, one file a step. Each takes the tenant, what all share and a pulse to show signs of life by,
//! and gives back the tenant's line.

pub mod apply;
pub mod plan;
pub mod retire;
pub mod soak;
pub mod status;
pub mod verify;

use heirloom_engine::Database;
use heirloom_migrate::fleet::{Line, Pulse, Side, Watched};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::{self, Identity, Source};

use super::targets::{self, Place};
use super::{Crew, Item};
use crate::error::Result;

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
    let shown = heirloom_engine::redact_url(url);
    let source: Box<dyn Source> = targets::in_time(source::open(url, database), crew.connect_timeout, &shown).await?;
    pulse.knock(false);
    Ok(Sides { source: Watched::new(source, pulse.clone()), database })
}

/// A line that begins with what the plan says.
pub(super) fn planned(item: &Item, plan: &Plan) -> Line {
    Line {
        state: heirloom_migrate::fleet::State::Planned,
        source_rows: Some(plan.counts.rows),
        plan: Some(item.plan.display().to_string()),
        plan_digest: Some(plan.digest.clone()),
        run_id: Some(plan.run_id),
        source: Some(side(&plan.source.display, &plan.source.identity)),
        target: Some(side(&plan.target.display, &plan.target.identity)),
        ..Line::new(item.name())
    }
}

fn side(place: &str, identity: &Identity) -> Side {
    Side::of(place, identity)
}
