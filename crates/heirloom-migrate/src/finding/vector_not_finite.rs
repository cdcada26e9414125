//! pgvector refuses NaN and infinities, and a vector of zeros has no direction.

use super::facts::Facts;
use super::{Check, Found};
use super::rows_do;
use crate::mapping::RejectCode;

pub(super) const CHECK: Check =
    Check { id: "vector-not-finite", title: "vectors with NaN, infinity, or only zeros", check };

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
