//! `json` and text hold `\\u0000` and lone surrogates; `jsonb` refuses both, so even PostgreSQL to PostgreSQL can fail.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;
use crate::mapping::RejectCode;

pub(super) const CHECK: Check = Check {
    id: "json-unstorable",
    severity: Severity::Warning,
    title: "JSON that jsonb refuses",
    means: "JSON that `jsonb` does not take (a NUL, half a surrogate pair, no JSON at all); such rows are set aside.",
    cure: "Mend them at the source, or leave the column out of `merge`: the origin keeps any text.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.rejected(RejectCode::InvalidJson);
    if count == 0 {
        return None;
    }
    Found::warning(
        count,
        format!("{} JSON that jsonb does not take (a NUL, half a surrogate pair, or no JSON at all) and will be set aside", rows_do(count, "hold")),
        "mend them at the source, or leave the column out of merge: the origin keeps any text",
    )
}
