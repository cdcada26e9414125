//! History would be flattened: a column that looks like the time of writing is there, and `created_at` is not mapped.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::words;

pub(super) const CHECK: Check = Check {
    id: "created-at-unmapped",
    severity: Severity::Danger,
    title: "a column holds the time of writing and is not mapped",
    means: "A column looks like the time of writing and feeds no field; the memories would have no time.",
    cure: "Map it: `created_at = \"column\"`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if facts.is_mapped("created_at") {
        return None;
    }
    let (column, seen) = facts.named(words::CREATED).find(|(_, seen)| seen.present > 0)?;
    Found::danger(
        seen.present,
        format!("Column {} looks like the time of writing and feeds no field: the memories would have no time at all", column.name),
        format!("[map] created_at = \"{}\"", column.name),
    )
}
