//! Rows whose time of writing the source does not know. None is invented: they keep a null.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{rows_do, words};
use crate::mapping::Note;

pub(super) const CHECK: Check = Check {
    id: "created-at-missing",
    severity: Severity::Warning,
    title: "rows without a time of writing",
    means: "Rows have no time of writing. None is invented; recall and listings put them last.",
    cure: "Nothing, or fill the column at the source first.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let missing = facts.noted(Note::CreatedAtMissing);
    if missing == 0 || (!facts.is_mapped("created_at") && facts.named(words::CREATED).next().is_some()) {
        return None;
    }
    Found::warning(
        missing,
        format!("{} no time of writing; no time is invented, recall and listings put them last", rows_do(missing, "have")),
        "nothing, or fill the column at the source first",
    )
}
