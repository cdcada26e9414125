//! A model makes vectors of one width. Under one name two cannot be compared, and the store keeps one a namespace.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "model-widths",
    severity: Severity::Danger,
    title: "one model with vectors of two widths",
    means: "Vectors under one model name have two widths in one namespace. The store keeps one of them, the one that is written first; rows with another are set aside.",
    cure: "`unpad = N` with `otherwise = \"keep\"` hands down vectors of N numbers and keeps the text of the others; or name another model.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let mixed: Vec<_> = facts.seen.widths.iter().filter(|(_, widths)| widths.len() > 1).collect();
    let most = |widths: &std::collections::BTreeMap<usize, u64>| widths.values().max().copied().unwrap_or(0);
    let count = mixed.iter().map(|(_, widths)| widths.values().sum::<u64>() - most(widths)).sum::<u64>();
    if count == 0 {
        return None;
    }
    let says: Vec<String> = mixed
        .iter()
        .map(|((namespace, model), widths)| {
            let widths: Vec<String> = widths.keys().map(ToString::to_string).collect();
            format!("{model} in {namespace} ({})", list(&widths, 4))
        })
        .collect();
    Found::danger(
        count,
        format!(
            "At least {} a vector of another width than others of its model and will be set aside: {}",
            rows_do(count, "have"),
            list(&says, 3)
        ),
        "embedding = { …, unpad = N, otherwise = \"keep\" } keeps vectors of N numbers and the text of the others",
    )
}
