//! JSON null and SQL NULL are two things: `'null'::jsonb is null` is false. The platform of the first seed had to mend this in production.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};
use crate::source::Type;

pub(super) const CHECK: Check = Check {
    id: "json-null",
    severity: Severity::Note,
    title: "JSON null where there is nothing",
    means: "JSON null and SQL NULL are two things. JSON null is read as absent and kept verbatim in the origin.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<(&str, u64)> = facts
        .columns()
        .filter(|(column, seen)| seen.json_null > 0 && (column.ty == Type::Json || facts.feeds(&column.name, "metadata")))
        .map(|(column, seen)| (column.name.as_str(), seen.json_null))
        .collect();
    let count = columns.iter().map(|(_, count)| count).sum::<u64>();
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    Found::note(
        count,
        format!("{} JSON null in {}; it is read as absent and kept verbatim in the origin", rows_do(count, "hold"), list(&names, 4)),
        "nothing",
    )
}
