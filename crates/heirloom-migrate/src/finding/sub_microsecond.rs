//! The store keeps microseconds. Nanoseconds are rounded half to even, and stay in the origin.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "sub-microsecond",
    severity: Severity::Note,
    title: "times finer than a microsecond",
    means: "Times are finer than a microsecond; they are rounded half to even, and the digits stay in the origin.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<_> = facts.columns().filter(|(_, seen)| seen.below_micros > 0).collect();
    let count = columns.iter().map(|(_, seen)| seen.below_micros).sum::<u64>();
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name.as_str()).collect();
    Found::note(
        count,
        format!("{} times in {} finer than a microsecond; they are rounded, the digits stay in the origin", rows_do(count, "hold"), list(&names, 4)),
        "nothing",
    )
}
