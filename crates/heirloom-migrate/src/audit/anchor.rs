//! The newest head outside the database: one line of JSON in a file beside the plan, written after each step.
//!
//! A chain that does not go through it was cut, rewritten, or came back from a backup. The file may be behind: a process
//! may end between its commit and the file, and a sweep may run where the plan's file is not.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Entry, Head};
use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::part::Part;

/// The step by which a head is kept outside again after the file was lost.
pub const ANCHORED: &str = "anchored";

/// Where the head of a plan lies: `notes.plan.json` → `notes.plan.audit`.
pub fn path_for(plan: &Path) -> PathBuf {
    plan.with_extension("audit")
}

/// Reads the head of a run; `None` when there is no file, or when it is of another run: a plan that was made again lies
/// where the one before it lay, and has a chain of its own.
///
/// # Errors
/// [`MigrateError::Io`] when it cannot be read, [`MigrateError::Ledger`] when it is not what was written.
pub fn read(path: &Path, run_id: Uuid) -> Result<Option<Head>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(path, &error)),
    };
    let head: Head = serde_json::from_slice(&text).map_err(|_| {
        MigrateError::Ledger(format!("{} is not the head of a chain: it was edited or damaged", path.display()))
    })?;
    Ok(Some(head).filter(|head| head.run_id == run_id))
}

/// Writes the head beside its place and moves it there.
///
/// # Errors
/// [`MigrateError::Io`].
pub async fn write(path: &Path, head: &Head, failpoints: &Failpoints) -> Result<()> {
    let text = serde_json::to_string(head).map_err(|error| MigrateError::Ledger(error.to_string()))?;
    failpoints.pass(Point::BeforeHead).await?;
    Part::write(path, format!("{text}\n").as_bytes()).map_err(|error| io(path, &error))?;
    failpoints.pass(Point::AfterHead).await
}

/// What is known outside the database of the newest head of a chain.
#[derive(Debug, Clone, Copy)]
pub enum Outside<'a> {
    /// Nothing, and nobody looked: a sweep runs where the plan's file is not.
    Elsewhere,
    /// Nothing: the file in which it should lie is not there, or is of another run.
    Missing(&'a Path),
    /// This head.
    Known(&'a Head),
}

impl<'a> Outside<'a> {
    /// The head, where one is known.
    pub fn head(self) -> Option<&'a Head> {
        match self {
            Self::Known(head) => Some(head),
            Self::Elsewhere | Self::Missing(_) => None,
        }
    }
}

/// Whether a head was ever kept outside: from the start of a soak on each step keeps it. That start alone does not say so:
/// its process may have ended before the file was there. Nothing was counted by then, so that a chain that was cut to it
/// gains nothing; what an apply or a comparison adds is by the database's clock.
pub fn is_kept(entries: &[Entry]) -> bool {
    let by_program = |entry: &&Entry| entry.clock != "database";
    let since = entries.iter().skip_while(|entry| entry.what != "soaking");
    since.filter(by_program).count() > 1
}

/// Whether a chain goes through a head that is known from outside, and that one is known where one was kept.
///
/// # Errors
/// [`MigrateError::Refused`] when it does not, and when the file is gone: whoever cuts a chain takes that along.
pub fn hold(entries: &[Entry], outside: Outside<'_>) -> Result<()> {
    if let Outside::Missing(path) = outside
        && is_kept(entries)
    {
        return Err(MigrateError::Refused {
            what: format!(
                "{} is not there, and the chain has {} entries: without it nobody would notice that the ledger was cut or \
                 restored from a backup",
                path.display(),
                entries.len()
            ),
            cure: "put it back from where the plan is kept; where it is lost, look at the chain with `heirloom audit list`, \
                   then take it as it is with `heirloom audit anchor PLAN`, which the chain will tell"
                .into(),
        });
    }
    match outside.head().and_then(|head| problem(entries, head)) {
        None => Ok(()),
        Some(what) => Err(MigrateError::Refused {
            what: format!("The ledger is not the one that was written: {what}"),
            cure:
                "find out who restored or changed it; `heirloom audit check PLAN` says more, and `heirloom soak start \
                   PLAN --restart` begins the soak again on what is there"
                    .into(),
        }),
    }
}

/// What is wrong with a chain that should go through this head.
pub(super) fn problem(entries: &[Entry], head: &Head) -> Option<String> {
    let newest = entries.last().map_or(0, |entry| entry.seq);
    match entries.iter().find(|entry| entry.seq == head.seq) {
        None => Some(format!(
            "it ends with entry {newest}, and entry {} was written; it was cut, or restored from an older backup",
            head.seq
        )),
        Some(entry) if entry.hash != head.hash || entry.run_id != head.run_id => {
            Some(format!("entry {} has another hash than the one that was written", head.seq))
        }
        Some(_) => None,
    }
}

fn io(path: &Path, error: &std::io::Error) -> MigrateError {
    MigrateError::Io { path: path.display().to_string(), reason: error.to_string() }
}
