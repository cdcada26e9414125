//! `halfvec` has about three decimal digits. What it holds is carried exactly; what was rounded before is gone.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "half-precision-vector",
    severity: Severity::Note,
    title: "vectors that were already rounded",
    means: "Vectors were rounded to half precision when they were written; their values are carried exactly.",
    cure: "Nothing, or embed the texts again.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let (column, seen) = facts.columns().find(|(column, seen)| {
        column.declared.starts_with("halfvec") && seen.present > 0 && facts.is_used(&column.name)
    })?;
    Found::note(
        seen.present,
        format!("Column {} ({}) was rounded to half precision when it was written; its values are carried exactly", column.name, column.declared),
        "nothing, or embed the texts again",
    )
}
