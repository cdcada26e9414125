//! A time without zone is read in the zone the file names; without one it would be a guess.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::list;
use crate::source::Type;

pub(super) const CHECK: Check = Check {
    id: "naive-timestamp",
    severity: Severity::Danger,
    title: "a wall-clock time without a zone",
    means: "Columns hold wall-clock times and no zone is named; a zone would be a guess.",
    cure: "Write `zone = \"Europe/Berlin\"`, or `zone = \"UTC\"` if that is what was written.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let mut names = Vec::new();
    let mut count = 0;
    for (field, spec) in &facts.file.map {
        let Some(from) = spec.from.as_ref().filter(|_| spec.zone.is_none()) else { continue };
        let naive = facts.columns().find(|(column, _)| column.name == from.value && column.ty == Type::LocalTime);
        if let Some((column, seen)) = naive.filter(|(_, seen)| seen.present > 0) {
            count += seen.present;
            names.push(format!("{} (for {})", column.name, field.value));
        }
    }
    if count == 0 {
        return None;
    }
    Found::danger(
        count,
        format!("{} hold wall-clock times and no zone is named", list(&names, 4)),
        "{ from = \"…\", zone = \"Europe/Berlin\" }, or zone = \"UTC\" if that is what was written",
    )
}
