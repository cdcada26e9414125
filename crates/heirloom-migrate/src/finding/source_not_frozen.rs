//! The role that reads may write too, so nothing in its rights shows that the source is frozen.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "source-not-frozen",
    severity: Severity::Note,
    title: "nothing shows that the source stands still",
    means: "The reading role may write the source, so its rights do not show that the source stands still.",
    cure: "Revoke insert, update and delete on the table from every role before apply.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if !facts.source.can_write || facts.source.role == "file" {
        return None;
    }
    Found::note(
        None,
        format!(
            "Role {} may write {}: its rights do not show that the source is frozen. The plan holds a digest of all rows, and verify says whether they changed",
            facts.source.role, facts.table.name
        ),
        "revoke insert, update and delete on the table from every role before apply",
    )
}
