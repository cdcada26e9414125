//! pgvector refuses NaN and infinities, and a vector of zeros has no direction.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;
use crate::mapping::RejectCode;

pub(super) const CHECK: Check = Check {
    id: "vector-not-finite",
    severity: Severity::Warning,
    title: "vectors with NaN, infinity, or only zeros",
    means: "Vectors hold NaN, an infinity, or only zeros; such rows are set aside.",
    cure: "`otherwise = \"keep\"` hands the text down without the vector.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.rejected(RejectCode::VectorInvalid);
    if count == 0 {
        return None;
    }
    Found::warning(
        count,
        format!("{} a vector with NaN, an infinity, or only zeros and will be set aside", rows_do(count, "hold")),
        "embedding = { …, otherwise = \"keep\" } hands the text down without the vector",
    )
}
