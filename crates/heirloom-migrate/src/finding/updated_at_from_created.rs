//! The guide's example sets `updated_at` to `created_at`. Where the source knows the time of the last change, it is lost that way.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::words;

pub(super) const CHECK: Check = Check {
    id: "updated-at-from-created",
    severity: Severity::Warning,
    title: "the time of the last change is replaced by another",
    means: "A column holds the time of the last change, and another value would stand in `updated_at`.",
    cure: "Map it: `updated_at = \"column\"`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let (column, seen) = facts
        .named(words::UPDATED)
        .find(|(column, seen)| seen.present > 0 && !facts.feeds(&column.name, "updated_at"))?;
    let how = match facts.from("updated_at").next() {
        Some(other) => format!("updated_at is read from {other}"),
        None => "updated_at is not mapped".to_owned(),
    };
    Found::warning(
        seen.present,
        format!("Column {} holds the time of the last change, and {how}", column.name),
        format!("[map] updated_at = \"{}\"", column.name),
    )
}
