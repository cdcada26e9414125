//! The marker column is itself a write to the source: it rewrites rows, fires triggers and needs rights there.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "marker-writes-source",
    severity: Severity::Warning,
    title: "the marker is a write to the frozen source",
    means: "`mark` adds a column to the source and updates every migrated row: triggers fire, replicas carry it.",
    cure: "Leave `mark` out unless somebody reads the column.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let mark = facts.file.source.mark.as_ref()?;
    Found::warning(
        facts.counts.accepted,
        format!(
            "mark = \"{}\" adds a column to {} and updates every migrated row: triggers fire, each row is rewritten once, replicas carry it",
            mark.value, facts.table.name
        ),
        "leave mark out unless somebody reads it; the ledger and verify do not need it",
    )
}
