//! Rows that are verified without a commit or an artifact. The guide's section 5 keeps their verification, its example takes it away.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "verified-without-commit",
    severity: Severity::Note,
    title: "verified, and nothing to show for it",
    means: "Rows are verified without commit or artifact; the verification is kept as the source says it.",
    cure: "Nothing, or map `commit_sha` or `artifact_hash` if a column holds them.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.seen.verified_without_commit;
    if count == 0 {
        return None;
    }
    Found::note(
        count,
        format!("{} verified without commit or artifact; the verification is kept as the source says it", rows_do(count, "are")),
        "nothing, or map commit_sha or artifact_hash if a column holds them",
    )
}
