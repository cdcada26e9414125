//! The next step towards the end of a tenant's table: archive and rename it, or drop it after its grace.

use heirloom_migrate::MigrateError;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::fleet::{Line, State};
use heirloom_migrate::ledger::RunState;
use heirloom_migrate::retire::{self, Phase};

use super::super::failed;
use super::{Turn, planned, ran};
use crate::error::Result;
use crate::ops::desk::Beside;

/// Retires one tenant's table.
///
/// # Errors
/// As [`retire::retire`]. A gate that is short is in the line.
pub async fn run(turn: Turn, check_only: bool) -> Result<Line> {
    let Turn { item, crew, pulse, place, plan, .. } = &turn;
    let mut line = planned(item, plan);
    pulse.knock(true);
    let database = place.existing().await?;
    pulse.knock(false);
    let run = ran(&mut line, database, plan).await?;
    // What is put away already goes its way by the plan that put it away.
    if run.is_none_or(|run| run.state != RunState::Retired) {
        item.unchanged(plan)?;
    }
    let sides = turn.open(&mut line).await?;
    let store = turn.store(&sides).await?;
    let beside = Beside::read(&item.plan, plan.run_id)?;
    let task = beside.task(plan, &sides.source, store, &crew.clock, check_only);
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
    let archive = retire::path_for(&item.plan, plan, file.retire.archive.as_deref());
    pulse.beat();
    let shown = line.clone();
    let done = retire::retire(&task, &archive, &mut |rows, _| {
        pulse.beat();
        crew.at_work(&shown, State::Soaked, rows);
    })
    .await?;
    if !check_only {
        beside.keep(done.head.as_ref()).await?;
    }
    ran(&mut line, sides.database, plan).await?;
    line.notes.extend(match done.phase {
        Phase::Waiting => None,
        Phase::Kept => Some(format!("{} is kept as {}", done.table, done.renamed.clone().unwrap_or_default())),
        Phase::Dropped => Some(format!("{} is dropped; its archive is what is left", done.table)),
    });
    if done.holds {
        return Ok(line);
    }
    let short: Vec<String> = done.gates.iter().filter(|gate| !gate.met).map(|gate| gate.id.to_string()).collect();
    let error = MigrateError::Refused {
        what: format!("its table stays, because a gate is short: {}", short.join(", ")),
        cure: format!("`heirloom retire {} --check-only` says what each lacks", item.plan.display()),
    };
    Ok(failed(line, &error.into()))
}
