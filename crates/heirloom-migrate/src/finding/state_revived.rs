//! A row its source calls deleted or the like becomes a memory that is recalled: by `otherwise`, by a constant state, or because the flag is not read.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::list;

pub(super) const CHECK: Check = Check {
    id: "state-revived",
    severity: Severity::Danger,
    title: "what was deleted comes back to life",
    means: "Rows that their source holds for gone (deleted, archived, rejected) would be recalled again.",
    cure: "Map these values to `archived` or `rejected`, with `otherwise = \"reject\"`; read the column that marks them.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let gone = &facts.seen.gone;
    if gone.rows == 0 {
        return None;
    }
    let says: Vec<&String> = gone.ways.keys().collect();
    Found::danger(
        gone.rows,
        format!("Rows their source holds for gone would be recalled again: {}", list(&says, 5)),
        "state = { from = \"…\", values = { deleted = \"archived\" }, otherwise = \"reject\" }; case and space do not count",
    )
}
