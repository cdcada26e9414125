//! SQLite keeps any bytes as text. Such a row is set aside with its bytes when the column is mapped, and kept verbatim otherwise.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};
use crate::mapping::RejectCode;

pub(super) const CHECK: Check = Check {
    id: "invalid-utf8",
    severity: Severity::Warning,
    title: "text that is not UTF-8",
    means: "Text is not UTF-8. Nothing is replaced; rows are set aside where the column is mapped, and kept verbatim otherwise.",
    cure: "Mend them at the source, then `heirloom rejects retry`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<_> = facts.columns().filter(|(_, seen)| seen.invalid_utf8 > 0).collect();
    let count = columns.iter().map(|(_, seen)| seen.invalid_utf8).sum::<u64>().max(facts.rejected(RejectCode::InvalidUtf8));
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name.as_str()).collect();
    Found::warning(
        count,
        format!("{} text that is not UTF-8 ({}); nothing is replaced or stripped", rows_do(count, "hold"), list(&names, 4)),
        "mend them at the source; those set aside keep their bytes, and rejects retry takes them up again",
    )
}
