//! The start of a soak: the run is verified, and from now on its days count.

use serde::Serialize;
use serde_json::json;

use super::standing::{Standing, Task};
use crate::audit::Head;
use crate::audit::anchor::Outside;
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::ledger::{self, RunState};
use crate::retire;
use crate::target;

/// A soak that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Started {
    /// The migration's name.
    pub name: String,
    /// Days that are asked for.
    pub days: u32,
    /// Whether one that was under way began again.
    pub restarted: bool,
    /// The end of the chain; absent when nothing was written.
    pub head: Option<Head>,
}

/// Starts a soak, or starts one again that is under way: what was counted counts no more, and a chain that came back from
/// a backup is taken as it is from here on. The first sweep begins the first day. A start that ended before its head was
/// outside is taken up: its head is given back, and nothing written.
///
/// # Errors
/// [`MigrateError::Refused`] when the run is not verified, soaks already and is not to begin again, or when its table was
/// renamed by a retirement that ended before it could say so.
pub async fn start(task: &Task<'_>, restart: bool) -> Result<Started> {
    target::store_alone(task.plan, "a soak")?;
    let standing = Standing::of(task, !restart).await?;
    let under_way = matches!(standing.run.state, RunState::Soaking | RunState::Soaked);
    if under_way && !restart && matches!(task.anchor, Outside::Missing(_)) {
        // Nothing but that start would have been let through without a head.
        return Ok(Started {
            name: standing.run.name.clone(),
            days: standing.days(),
            restarted: false,
            head: standing.head(),
        });
    }
    if under_way && !restart {
        return Err(MigrateError::Refused {
            what: format!("{} soaks already", standing.run.name),
            cure: "go on with `heirloom soak sweep`; `--restart` begins again and counts nothing of what was".into(),
        });
    }
    retire::none_pending(task, &standing).await?;
    let states = [RunState::Verified, RunState::Soaking, RunState::Soaked];
    standing.require(&states, "soaked", "run `heirloom verify PLAN --record` first: the proof of it is missing")?;
    let Some(verified) = standing.newest("verified") else {
        return Err(MigrateError::Refused {
            what: format!("{} was verified by an older version, which kept no proof of it", standing.run.name),
            cure: "run `heirloom verify PLAN --record` again".into(),
        });
    };
    let started =
        Started { name: standing.run.name.clone(), days: standing.days(), restarted: under_way, head: standing.head() };
    if task.check_only {
        return Ok(started);
    }
    // A soaked run that begins again has its newest sweep for a proof; the database asks for it.
    let proof = match standing.run.state {
        RunState::Soaked => standing.newest("sweep").map(|entry| entry.hash.clone()),
        _ => Some(verified.hash.clone()),
    };
    let payload = standing.beginning(proof.as_deref());
    let mut client = task.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::lock_head(&tx, task.plan.run_id, standing.head().as_ref()).await?;
    let entry = ledger::append(&tx, task.plan.run_id, &standing.stamp(task), "soaking", &payload).await?;
    if standing.run.state != RunState::Soaking {
        let details = json!({ "days": standing.days() });
        ledger::step(&tx, task.plan.run_id, RunState::Soaking, &details).await?;
    }
    task.failpoints.pass(Point::BeforeSoak).await?;
    tx.commit().await?;
    task.failpoints.pass(Point::AfterSoak).await?;
    Ok(Started { head: Some(entry.head()), ..started })
}
