//! `infinity` is a moment to PostgreSQL, and stays one.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "infinite-time",
    severity: Severity::Note,
    title: "times that are infinite",
    means: "Times are infinite, and stay so.",
    cure: "Nothing; an expiry at infinity never comes.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<_> =
        facts.columns().filter(|(column, seen)| seen.infinite > 0 && facts.is_used(&column.name)).collect();
    let count = columns.iter().map(|(_, seen)| seen.infinite).sum::<u64>();
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name.as_str()).collect();
    Found::note(
        count,
        format!("{} infinity in {}; it is kept as infinity, not as null", rows_do(count, "hold"), list(&names, 4)),
        "nothing; an expiry at infinity is one that never comes",
    )
}
