//! A row its source calls deleted or the like becomes a memory that is recalled: by `otherwise`, by a constant state, or because the flag is not read.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, words};

pub(super) const CHECK: Check = Check {
    id: "state-revived",
    severity: Severity::Danger,
    title: "what was deleted comes back to life",
    means: "Rows that their source holds for gone (deleted, archived, rejected) would be recalled again.",
    cure: "Map these values to `archived` or `rejected`, with `otherwise = \"reject\"`; read the column that marks them.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let mut count = 0;
    let mut says = Vec::new();
    let live = |state: &str| words::is_one_of(state, words::LIVE_STATES);
    let states = || facts.enumerations.iter().filter(|e| e.field == "state");
    for value in states().flat_map(|e| &e.values) {
        let Some(text) = value.value.as_deref().filter(|text| words::is_one_of(text, words::DEAD)) else { continue };
        if live(&value.becomes) {
            count += value.count;
            says.push(format!("{text:?} becomes {}", value.becomes));
        }
    }
    for (column, seen) in facts.named(words::STATUS).filter(|(column, _)| !facts.feeds(&column.name, "state")) {
        for (text, rows) in seen.values.iter().filter(|(text, _)| words::is_one_of(text, words::DEAD)) {
            count += rows;
            says.push(format!("{text:?} in {} is not read", column.name));
        }
    }
    for (column, seen) in facts.named(words::DELETED).filter(|(column, _)| !facts.is_used(&column.name)) {
        if seen.truthy > 0 {
            count += seen.truthy;
            says.push(format!("{} is set and not read", column.name));
        }
    }
    if count == 0 {
        return None;
    }
    Found::danger(
        count,
        format!("Rows their source holds for gone would be recalled again: {}", list(&says, 5)),
        "state = { from = \"…\", values = { deleted = \"archived\" }, otherwise = \"reject\" }; case and space do not count",
    )
}
