//! Two rows with one key have one identity: only the first can be handed down.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;
use crate::mapping::RejectCode;

pub(super) const CHECK: Check = Check {
    id: "duplicate-key",
    severity: Severity::Danger,
    title: "two rows with one key",
    means: "Two rows have one key, so only the first can be handed down.",
    cure: "Name columns under `[source] key` that are unique together.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.rejected(RejectCode::DuplicateKey);
    if count == 0 {
        return None;
    }
    Found::danger(
        count,
        format!("{} the key of another row ({}) and will be set aside", rows_do(count, "have"), facts.key.join(", ")),
        "[source] key = […] with columns that are unique together",
    )
}
