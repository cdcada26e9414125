//! A column of change times shows new and changed rows. A row that is deleted shows nothing.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "deletes-unseen",
    severity: Severity::Note,
    title: "a cursor over changes never sees a delete",
    means: "A column of change times shows new and changed rows, never deleted ones.",
    cure: "Nothing; verify compares all keys and names rows that are gone from the source.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let changed_at = facts.file.source.changed_at.as_ref()?;
    Found::note(
        None,
        format!("changed_at = \"{}\" shows new and changed rows, never deleted ones", changed_at.value),
        "nothing; verify compares all keys and names rows that are gone from the source",
    )
}
