//! A vector wider than the store's cannot be converted: another model made it. The text moves, the vector stays in the origin.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows};

pub(super) const CHECK: Check = Check {
    id: "dimension-mismatch",
    severity: Severity::Warning,
    title: "vectors of another width than the store's",
    means: "Vectors are of another width than the store's. Wider ones cannot be converted, narrower ones are padded.",
    cure: "`otherwise = \"keep\"` keeps the text for a later embedding; `unpad = N` for vectors padded with zeros.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    facts.from("embedding").next()?;
    let wide: Vec<_> = facts
        .dimensions
        .iter()
        .filter(|count| count.dimensions.is_some_and(|dimensions| dimensions != facts.target.dimension))
        .collect();
    let count = wide.iter().map(|count| count.rows).sum::<u64>();
    if count == 0 {
        return None;
    }
    let says: Vec<String> = wide
        .iter()
        .map(|count| format!("{} dimensions: {} ({})", count.dimensions.unwrap_or(0), rows(count.rows), count.becomes))
        .collect();
    Found::warning(
        count,
        format!("The store holds vectors of {} dimensions; the source has {}", facts.target.dimension, list(&says, 4)),
        "embedding = { …, otherwise = \"keep\" } keeps text and vector for a later embedding; unpad = N if the vector is padded with zeros",
    )
}
