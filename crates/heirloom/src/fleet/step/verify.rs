//! Compares every row of one tenant on both sides, and records it when asked to.

use heirloom_migrate::MigrateError;
use heirloom_migrate::fleet::{Line, State};
use heirloom_migrate::verify::{self, VerifyRequest};

use super::super::failed;
use super::{Turn, planned, ran};
use crate::error::Result;
use crate::ops;

/// Verifies one tenant.
///
/// # Errors
/// As [`verify::run`]. Differences are in the line.
pub async fn run(turn: Turn, record: bool) -> Result<Line> {
    let Turn { item, crew, pulse, plan, .. } = &turn;
    let mut line = planned(item, plan);
    if let Some(line) = turn.retired(&mut line).await? {
        return Ok(line);
    }
    item.unchanged(plan)?;
    let sides = turn.open(&mut line).await?;
    let store = turn.store(&sides).await?;
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
