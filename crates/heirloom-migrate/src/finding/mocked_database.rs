//! The first seed accepts the migration on tests with a stand-in for the database, which can see none of these traps.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows;

pub(super) const CHECK: Check = Check {
    id: "mocked-database",
    severity: Severity::Note,
    title: "a migration tested against a stand-in",
    means: "The plan has read the real source; a test with a stand-in sees none of what is listed here.",
    cure: "Nothing; plan again when the source has changed.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if facts.counts.rows == 0 {
        return None;
    }
    Found::note(
        facts.counts.rows,
        format!("This plan has read and mapped all {} of the real source; a test with a stand-in sees none of what is listed here", rows(facts.counts.rows)),
        "nothing; plan again when the source has changed",
    )
}
