//! Halving a scale of ten to five loses every second step. The raw value stays in the origin.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;
use crate::mapping::Note;

pub(super) const CHECK: Check = Check {
    id: "priority-rounded",
    severity: Severity::Note,
    title: "a scale of ten halved to five",
    means: "A scale loses steps; importance is rounded half up, and the raw value stays in the origin.",
    cure: "Nothing, or give each step its own value under `values`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.noted(Note::Rounded);
    if count == 0 {
        return None;
    }
    Found::note(
        count,
        format!("{} their importance rounded by the scale, half up; the raw value stays in the origin", rows_do(count, "have")),
        "nothing, or importance = { from = \"…\", values = { … } } for steps of your own",
    )
}
