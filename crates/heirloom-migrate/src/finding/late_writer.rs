//! Rows of the last 24 hours: somebody still writes to a source that is said to be frozen.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "late-writer",
    severity: Severity::Warning,
    title: "somebody still writes to the source",
    means: "Rows were written or changed within the last 24 hours: somebody still writes here.",
    cure: "Stop the writers and plan again; verify catches rows that change after the plan.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let recent = facts.seen.recent;
    if recent == 0 {
        return None;
    }
    Found::warning(
        recent,
        format!("{} written or changed within the last 24 hours: somebody still writes here", rows_do(recent, "were")),
        "stop the writers and plan again; rows that change after the plan are caught by verify",
    )
}
