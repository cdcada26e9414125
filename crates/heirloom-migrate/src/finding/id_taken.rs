//! A row whose id is another memory's is never written over it.

use super::facts::Facts;
use super::rows_do;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "id-taken",
    severity: Severity::Danger,
    title: "ids that other memories have",
    means: "The store has memories under these ids that did not come from this source. They stay; the rows become conflicts and are not handed down.",
    cure: "Write `[id] from = \"derived\"`, which gives each source ids of its own; or forget the memories that are in the way.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.counts.taken;
    if count == 0 {
        return None;
    }
    Found::danger(
        count,
        format!("{} an id under which the store has a memory from elsewhere, and will not be handed down", rows_do(count, "have")),
        "[id] from = \"derived\", which gives each source ids of its own",
    )
}
