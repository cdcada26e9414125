//! Counts prove nothing once the target takes live writes: in the first seed 1805 became 1807 while the migration was being judged.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "count-proof",
    severity: Severity::Note,
    title: "equal counts taken for proof while others write",
    means: "The store takes live writes, so equal counts prove nothing in either direction.",
    cure: "Run `heirloom verify`; it compares row by row.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if facts.counts.rows == 0 {
        return None;
    }
    let live = match facts.target.live_rows {
        Some(live) if live > 0 => format!("The store already holds {live} memories that are not of this migration"),
        _ => "The store will take live writes".to_owned(),
    };
    Found::note(
        None,
        format!("{live}: comparing counts proves nothing in either direction"),
        "run verify; it compares row by row, and tells live rows from migrated ones by their origin",
    )
}
