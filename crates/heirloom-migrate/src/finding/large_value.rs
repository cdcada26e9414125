//! PostgreSQL's lexical vector ends at 1,048,575 bytes, and staging needs memory for each value.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::facts::LARGE;
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "large-value",
    severity: Severity::Warning,
    title: "values of more than a mebibyte",
    means: "Values are larger than PostgreSQL's lexical vector takes; they are kept whole and found by their first part only. \
            A field ends at 64 MiB: a row beyond is set aside.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<_> = facts.columns().filter(|(_, seen)| seen.large > 0).collect();
    let count = columns.iter().map(|(_, seen)| seen.large).sum::<u64>();
    if count == 0 {
        return None;
    }
    let says: Vec<String> =
        columns.iter().map(|(column, seen)| format!("{} (up to {} bytes)", column.name, seen.largest)).collect();
    Found::warning(
        count,
        format!("{} larger than {LARGE} bytes: {}", rows_do(count, "are"), list(&says, 4)),
        "nothing; the text is kept whole, and found by its first part only",
    )
}
