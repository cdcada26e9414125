//! What has to hold before a table goes, and what to do where it does not.

use serde::{Deserialize, Serialize};

use crate::audit::{AuditReport, Entry};
use crate::ledger::RunSummary;
use crate::soak::{Calendar, SweepRecord};

/// One gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name.
    pub id: String,
    /// Whether it is met.
    pub met: bool,
    /// What was found.
    pub found: String,
    /// What to do; empty when it is met.
    pub cure: String,
}

impl Gate {
    /// A gate, met or not.
    pub(super) fn new(id: &str, met: bool, found: impl Into<String>, cure: &str) -> Self {
        let cure = if met { String::new() } else { cure.to_owned() };
        Self { id: id.to_owned(), met, found: found.into(), cure }
    }
}

/// The gates of which the ledger alone knows, in the order in which they are passed.
pub fn ledger_gates(run: &RunSummary, entries: &[Entry], calendar: &Calendar, report: &AuditReport) -> Vec<Gate> {
    let verified = entries.iter().rev().find(|entry| entry.what == "verified");
    let days = format!("{} of {} days count", calendar.counted, calendar.needed);
    let soaked = match (calendar.started_at, calendar.running_since, calendar.over_at) {
        (None, ..) => "the soak was not started".to_owned(),
        (Some(_), None, _) => format!("{days}; the clock waits for a clean sweep"),
        (Some(_), Some(_), Some(over)) if !calendar.over => format!("{days}; it is over at {over} at the earliest"),
        _ => days,
    };
    let clean = match (calendar.last_sweep, calendar.last_clean) {
        (Some(at), Some(true)) => format!("the newest sweep, of {at}, found none"),
        (Some(at), _) => format!("the newest sweep, of {at}, found {}", calendar.divergence_count),
        (None, _) => "there was no sweep".to_owned(),
    };
    let chain = match report.problems.first() {
        None => format!("{} entries, each follows from the one before", report.entries),
        Some(problem) => problem.what.clone(),
    };
    let swept = entries.iter().rev().find(|entry| entry.what == "sweep");
    let swept = swept.and_then(|entry| entry.read::<SweepRecord>().ok());
    vec![
        Gate::new(
            "verified",
            verified.is_some(),
            verified.map_or_else(|| "no proof in the chain".to_owned(), |entry| format!("on {}", entry.at)),
            "run `heirloom verify PLAN --record`",
        ),
        Gate::new("soaked", calendar.over, soaked, "sweep once a day with `heirloom soak sweep PLAN` until it is over"),
        Gate::new(
            "no-divergence",
            calendar.last_clean == Some(true),
            clean,
            "look at it with `heirloom soak status`, mend it, and sweep again",
        ),
        rejects_gate(run.open, swept.and_then(|sweep| sweep.rejected).unwrap_or(0)),
        Gate::new("chain", report.holds, chain, "see `heirloom audit check`"),
    ]
}

/// Whether every row was handed down: none of this run waits by the ledger, and a sweep, which maps each row of the source
/// again, met none that is in no store. A row that the ledger merely calls resolved is still met.
pub(super) fn rejects_gate(open: u64, swept: u64) -> Gate {
    let found = match (open, swept) {
        (0, 0) => "none".to_owned(),
        (0, swept) => {
            format!("{swept} of the source are in no store, though the ledger says that they were handed down")
        }
        (open, _) => format!("{open} wait"),
    };
    let cure = match open {
        0 => {
            "apply the plan again: it sets them aside anew; then hand them down with `heirloom rejects retry PLAN` or a mended plan"
        }
        _ => "hand them down with `heirloom rejects retry PLAN` or a mended plan; `heirloom rejects` lists them",
    };
    Gate::new("no-open-rejects", open == 0 && swept == 0, found, cure)
}
