//! Ids of 20 digits pass the guide's test for digits and then stop its whole statement; here ids are text.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "run-id-overflow",
    severity: Severity::Note,
    title: "run ids longer than a bigint",
    means: "Run or task ids are beyond the range of a bigint; they are kept as text, digit for digit.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.seen.run_id_overflow;
    if count == 0 {
        return None;
    }
    Found::note(
        count,
        format!("{} a run or task id beyond the range of a bigint; ids are kept as text, digit for digit", rows_do(count, "have")),
        "nothing; the guide's cast would have stopped at the first of them",
    )
}
