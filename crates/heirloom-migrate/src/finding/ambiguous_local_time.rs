//! When a zone changes its clocks, an hour happens twice or never. Twice: standard time; never: shifted, as PostgreSQL does.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "ambiguous-local-time",
    severity: Severity::Note,
    title: "wall-clock times that happened twice or never",
    means: "Wall-clock times happened twice or never in their zone; read as standard time, or shifted, as PostgreSQL does.",
    cure: "Nothing; the text stays in the origin.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<_> = facts.columns().filter(|(_, seen)| seen.odd_wall_clock > 0).collect();
    let count = columns.iter().map(|(_, seen)| seen.odd_wall_clock).sum::<u64>();
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name.as_str()).collect();
    Found::note(
        count,
        format!("{} times in {} that their zone had twice or never; read as standard time, or shifted, as PostgreSQL does", rows_do(count, "hold"), list(&names, 4)),
        "nothing; the wall-clock text stays in the origin",
    )
}
