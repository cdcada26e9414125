//! Lessons without commit, artifact and verification are ghosts: stored, and left out of recall by default.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "invisible-without-provenance",
    severity: Severity::Warning,
    title: "handed down, and left out of recall",
    means: "Lessons without commit, artifact and verification are handed down, and recall leaves them out by default.",
    cure: "Map `commit_sha`, `artifact_hash` or `verified_at`, or `kind = { value = \"fact\" }` if they are no lessons.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.counts.ghosts;
    if count == 0 {
        return None;
    }
    Found::warning(
        count,
        format!("{} lessons without provenance and verification: they are handed down, and recall leaves them out by default", rows_do(count, "are")),
        "map commit_sha, artifact_hash or verified_at if a column holds them, or kind = { value = \"fact\" } if they are no lessons",
    )
}
