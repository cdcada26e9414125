//! Rows that are past their time. They are handed down and never recalled, so counts by recall differ by design.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "already-expired",
    severity: Severity::Note,
    title: "rows that have expired before they arrive",
    means: "Rows are past their time: they are handed down, and never recalled.",
    cure: "Nothing; verify counts them as present.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.counts.expired;
    if count == 0 {
        return None;
    }
    Found::note(
        count,
        format!("{} past their time: they are handed down, and never recalled", rows_do(count, "are")),
        "nothing; verify counts them as present",
    )
}
