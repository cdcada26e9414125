//! The same text several times in one namespace. Each row is handed down; nothing is merged.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "duplicate-content",
    severity: Severity::Note,
    title: "the same text more than once in a namespace",
    means: "The same text stands several times in one namespace. Nothing is merged.",
    cure: "Nothing; forget what you do not want afterwards.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let repeats = &facts.seen.contents;
    if repeats.repeated == 0 {
        return None;
    }
    Found::note(
        repeats.repeated,
        format!(
            "{}{} word for word what another row of their namespace says; each is handed down, none is merged",
            if repeats.full { "at least " } else { "" },
            rows_do(repeats.repeated, "say")
        ),
        "nothing; forget what you do not want afterwards, with its history",
    )
}
