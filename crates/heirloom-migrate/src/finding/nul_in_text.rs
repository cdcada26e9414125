//! SQLite keeps NUL in text, PostgreSQL cannot. Such a row is set aside with its bytes.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};
use crate::mapping::RejectCode;

pub(super) const CHECK: Check = Check {
    id: "nul-in-text",
    severity: Severity::Warning,
    title: "text with a NUL character",
    means: "Text holds a NUL character, which PostgreSQL cannot keep; such rows are set aside with their bytes.",
    cure: "Mend them at the source, then `heirloom rejects retry`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<_> = facts.columns().filter(|(_, seen)| seen.nul > 0).collect();
    let count = columns.iter().map(|(_, seen)| seen.nul).sum::<u64>().max(facts.rejected(RejectCode::Nul));
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name.as_str()).collect();
    Found::warning(
        count,
        format!("{} a NUL character ({}), which PostgreSQL cannot keep in text", rows_do(count, "hold"), list(&names, 4)),
        "mend them at the source; those set aside keep their bytes, and rejects retry takes them up again",
    )
}
