//! The newest head outside the database: one line of JSON in a file beside the plan, written after each step.
//!
//! A chain that does not go through it was cut, rewritten, or came back from a backup. The file may be behind: a process
//! may end between its commit and the file, and a sweep may run where the plan's file is not.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Entry, Head};
use crate::error::{MigrateError, Result};
use crate::part::Part;

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
pub fn write(path: &Path, head: &Head) -> Result<()> {
    let text = serde_json::to_string(head).map_err(|error| MigrateError::Ledger(error.to_string()))?;
    Part::write(path, format!("{text}\n").as_bytes()).map_err(|error| io(path, &error))
}

/// Whether a chain goes through a head that is known from outside.
///
/// # Errors
/// [`MigrateError::Refused`] when it does not.
pub fn hold(entries: &[Entry], head: Option<&Head>) -> Result<()> {
    match head.and_then(|head| problem(entries, head)) {
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
