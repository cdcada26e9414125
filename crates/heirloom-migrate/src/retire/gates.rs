//! What has to hold before a table goes, and what to do where it does not.

use serde::{Deserialize, Serialize};

use crate::audit::{AuditReport, Entry};
use crate::ledger::RunSummary;
use crate::soak::Calendar;

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
        Gate::new(
            "no-open-rejects",
            run.open == 0,
            if run.open == 0 { "none".to_owned() } else { format!("{} wait", run.open) },
            "hand them down with `heirloom rejects retry PLAN` or a mended plan; `heirloom rejects` lists them",
        ),
        Gate::new("chain", report.holds, chain, "see `heirloom audit check`"),
    ]
}
