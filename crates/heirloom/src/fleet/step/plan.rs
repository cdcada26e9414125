//! Makes a tenant's migration file and plan, or leaves the plan that is there where nothing changed that it depends on.

use std::path::Path;
use std::sync::Arc;

use heirloom_migrate::MigrateError;
use heirloom_migrate::fleet::{Line, Pulse, State};
use heirloom_migrate::plan::{self, Limits, Plan, Severity};

use super::super::targets::Place;
use super::super::{Crew, Item, failed, gate};
use super::{open, planned, ran, retired, status};
use crate::error::{Error, Result};

/// What to do beside planning.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// Write nothing.
    pub check_only: bool,
    /// Make a plan where there is one already.
    pub again: bool,
}

/// Plans one tenant. What is refused is not written, so that nobody can apply it.
///
/// # Errors
/// As [`plan::make`]. What refuses a plan is in the line.
pub async fn run(item: Arc<Item>, crew: Arc<Crew>, pulse: Pulse, how: How) -> Result<Line> {
    let place = crew.targets.place(item.target()?)?;
    match item.read_plan() {
        Ok(plan) if !how.again => {
            let mut line = judged(&item, &plan);
            line.notes.push("planned before; --again makes a new plan".to_owned());
            Ok(line)
        }
        _ => match Box::pin(under_way(&item, &crew, &pulse, &place, how)).await? {
            UnderWay::Retired(line) => Ok(*line),
            UnderWay::Soaks(note) => {
                let mut line = Box::pin(make(&item, &crew, &pulse, &place, how)).await?;
                line.notes.extend(note);
                Ok(line)
            }
        },
    }
}

/// What a new plan would end.
enum UnderWay {
    /// Nothing is left to be planned.
    Retired(Box<Line>),
    /// What to say of the days that no longer count, where some did.
    Soaks(Option<String>),
}

/// Looks what became of the plan that is there, before another takes its place.
async fn under_way(item: &Item, crew: &Crew, pulse: &Pulse, place: &Place, how: How) -> Result<UnderWay> {
    let Ok(plan) = item.kept_plan() else { return Ok(UnderWay::Soaks(None)) };
    if !place.is_there() || !item.target()?.is_there() {
        return Ok(UnderWay::Soaks(None));
    }
    let mut line = planned(item, &plan);
    if let Some(mut line) = retired(&mut line, crew, pulse, place, &plan).await? {
        line.notes.push("its plan stays; `heirloom unretire` brings the table back".to_owned());
        return Ok(UnderWay::Retired(Box::new(line)));
    }
    if ![State::Soaking, State::Soaked].contains(&line.state) {
        return Ok(UnderWay::Soaks(None));
    }
    let days = {
        let database = place.existing().await?;
        let run = ran(&mut line, database, &plan).await?;
        if let Some(run) = run {
            status::recorded(&mut line, database, &run, crew.clock.now()).await?;
        }
        line.soaked_days.unwrap_or(0)
    };
    if how.again {
        return Ok(UnderWay::Soaks(Some(format!("{days} days of the soak of the plan before count no more"))));
    }
    Err(item.refuse(
        format!("the tenants file or its template changed since it was made, and it soaks: {days} days count"),
        "put back what was changed to go on with the soak; `--again` makes a new plan, whose soak begins from nothing",
    ))
}

async fn make(item: &Item, crew: &Crew, pulse: &Pulse, place: &Place, how: How) -> Result<Line> {
    let migration = item.migration()?;
    let sides = open(item, crew, place, pulse).await?;
    let target = place.looked().await?;
    let mut shown = Line::new(item.name());
    let plan = plan::make_for(
        plan::Request {
            foreign: None,
            file: migration,
            source: &sides.source,
            target: sides.database,
            heirloom: env!("CARGO_PKG_VERSION"),
            now: jiff::Timestamp::now(),
            limits: Limits::default(),
            progress: &mut |at| {
                pulse.beat();
                if let plan::Progress::Reading { rows, .. } = at {
                    shown.source_rows = Some(rows);
                    crew.at_work(&shown, State::Unplanned, 0);
                }
            },
        },
        target,
    )
    .await?;
    let mut line = judged(item, &plan);
    if !how.check_only {
        // The file is there to find out with why its plan was refused.
        write(&item.toml, &migration.text)?;
        match line.holds() {
            true => plan.write(&item.plan)?,
            false => (line.plan, line.plan_digest, line.run_id) = (None, None, None),
        }
    }
    Ok(line)
}

/// A plan's line, with what refuses it.
fn judged(item: &Item, plan: &Plan) -> Line {
    let mut line = planned(item, plan);
    line.rejected = Some(plan.counts.rejected);
    let dangers: Vec<&str> = plan
        .findings
        .iter()
        .filter(|found| found.severity == Severity::Danger)
        .map(|found| found.id.as_str())
        .collect();
    if !dangers.is_empty() {
        let toml = item.toml.display();
        line.notes.push(format!("dangers found: {}; `heirloom plan {toml} --check-only` tells", dangers.join(", ")));
    }
    let refused = plan.refusals.first().map(|what| MigrateError::Refused {
        what: what.clone(),
        cure: "mend the template or the tenants file and run `heirloom fleet plan` again".to_owned(),
    });
    match refused.map(Error::from).or_else(|| gate::roles(item, Some(plan)).err()) {
        Some(error) => failed(line, &error),
        None => line,
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file(parent))?;
    }
    std::fs::write(path, text).map_err(Error::file(path))
}
