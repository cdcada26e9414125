//! Three rows looked at by hand say nothing about the others; the first seed accepts a migration of 2,052 rows on that.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "spot-check",
    severity: Severity::Note,
    title: "a handful of rows looked at by hand",
    means: "Looking at a handful of rows says nothing about the others.",
    cure: "Run `heirloom verify`; it compares every mapped field of every row.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if facts.counts.rows <= 3 {
        return None;
    }
    Found::note(
        facts.counts.rows,
        format!(
            "Looking at 3 rows covers {:.2} per cent of {}",
            300.0 / facts.counts.rows as f64,
            facts.counts.rows
        ),
        format!("run verify; it compares every mapped field of all {} accepted rows", facts.counts.accepted),
    )
}
