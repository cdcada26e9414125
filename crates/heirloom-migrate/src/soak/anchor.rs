//! The head of a chain kept outside again, after the file with it was lost.

use serde::Serialize;
use serde_json::json;

use super::standing::{Standing, Task};
use crate::audit::Head;
use crate::audit::anchor::{ANCHORED, Outside};
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::ledger;

/// A head that is kept again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Anchored {
    /// The migration's name.
    pub name: String,
    /// Entries of the chain before.
    pub entries: u64,
    /// The head of the chain as it was found.
    pub found: Option<Head>,
    /// The end of the chain now; the same when nothing was written.
    pub head: Option<Head>,
}

/// Takes a chain whose head outside was lost as it is from here on, and writes down who did. That it was not cut before
/// nobody can say any more; what it holds by itself is checked.
///
/// # Errors
/// [`MigrateError::Refused`] when the head is there, nothing was soaked yet, or the chain does not hold.
pub async fn anchor(task: &Task<'_>) -> Result<Anchored> {
    let refuse = |what: String, cure: &str| Err(MigrateError::Refused { what, cure: cure.to_owned() });
    let elsewhere = Task { anchor: Outside::Elsewhere, ..*task };
    let standing = Standing::of(&elsewhere, true).await?;
    let name = standing.run.name.clone();
    if let Some(head) = task.anchor.head() {
        return refuse(
            format!("The head of {name} is kept already: entry {}", head.seq),
            "nothing has to be done; `heirloom audit check PLAN` holds the chain against it",
        );
    }
    if !crate::audit::anchor::is_kept(&standing.entries) {
        return refuse(
            format!("No head of {name} was ever kept"),
            "`heirloom soak start PLAN` keeps the first, or the first sweep where that was stopped",
        );
    }
    let found = standing.head();
    let mut anchored =
        Anchored { name, entries: standing.entries.len() as u64, found: found.clone(), head: found.clone() };
    if task.check_only {
        return Ok(anchored);
    }
    let mut client = task.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::lock_head(&tx, task.plan.run_id, found.as_ref()).await?;
    let payload = json!({ "found": found });
    let entry = ledger::append(&tx, task.plan.run_id, &standing.stamp(task), ANCHORED, &payload).await?;
    task.failpoints.pass(Point::BeforeAnchored).await?;
    tx.commit().await?;
    task.failpoints.pass(Point::AfterAnchored).await?;
    anchored.head = Some(entry.head());
    Ok(anchored)
}
