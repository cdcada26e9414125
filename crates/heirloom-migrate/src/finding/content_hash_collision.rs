//! pgmnemo takes lessons of one role, topic and commit for versions of each other and closes all but one. Here each lives.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "content-hash-collision",
    severity: Severity::Note,
    title: "different lessons that another store takes for one",
    means: "Lessons share role, topic and provenance. Other stores take them for versions of one; here each lives.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let repeats = &facts.seen.closings;
    if repeats.repeated == 0 || facts.target.foreign.is_some() {
        return None;
    }
    Found::note(
        repeats.repeated,
        format!(
            "{}{} role, topic and commit with another; pgmnemo would close them as old versions, here each stays open",
            if repeats.full { "at least " } else { "" },
            rows_do(repeats.repeated, "share")
        ),
        "nothing",
    )
}
