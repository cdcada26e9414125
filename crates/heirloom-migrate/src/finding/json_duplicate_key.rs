//! `json` keeps a key that stands twice, `jsonb` the last of them. The text stays in the origin.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "json-duplicate-key",
    severity: Severity::Note,
    title: "JSON that says one key twice",
    means: "JSON says one key twice; the last one counts, and the text stays in the origin.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let columns: Vec<_> = facts.columns().filter(|(column, seen)| seen.json_twice > 0 && facts.is_used(&column.name)).collect();
    let count = columns.iter().map(|(_, seen)| seen.json_twice).sum::<u64>();
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name.as_str()).collect();
    Found::note(
        count,
        format!("{} a key twice in {}; the last one counts, the text stays in the origin", rows_do(count, "say"), list(&names, 4)),
        "nothing",
    )
}
