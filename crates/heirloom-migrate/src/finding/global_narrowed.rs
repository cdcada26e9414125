//! In the first platform GLOBAL rows were seen in the whole database; `org:<root>` is seen in one tree only.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "global-narrowed",
    severity: Severity::Note,
    title: "what everybody saw ends in one organisation",
    means: "Rows that everybody saw end in the namespaces of several organisations.",
    cure: "Nothing if the roots are different owners; otherwise a fixed namespace, e.g. `GLOBAL = \"org:everyone\"`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.seen.org_rows;
    if count == 0 || facts.seen.roots < 2 {
        return None;
    }
    Found::note(
        count,
        format!("{} to org: namespaces, and the tree has {} roots: rows that all of them saw are now seen inside their own", rows_do(count, "go"), facts.seen.roots),
        "nothing if the roots are different owners; otherwise a fixed namespace, e.g. GLOBAL = \"org:everyone\"",
    )
}
