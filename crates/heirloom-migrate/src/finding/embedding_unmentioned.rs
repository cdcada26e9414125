//! A vector column that is neither mapped nor left behind with a reason. It stays verbatim in the origin, and the memories have no embedding.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::words;
use crate::source::Type;

pub(super) const CHECK: Check = Check {
    id: "embedding-unmentioned",
    severity: Severity::Warning,
    title: "a vector column the file does not mention",
    means: "A vector column is neither mapped nor dropped; the memories would be found by their words only.",
    cure: "Map `embedding` with its `model`, or drop the column with a reason.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let (column, seen) = facts.columns().find(|(column, seen)| {
        let is_vector = column.ty == Type::Vector || words::is_name(&column.name, &["embedding", "embeddings", "vector"]);
        is_vector && seen.present > 0 && !facts.is_used(&column.name) && !facts.is_dropped(&column.name)
    })?;
    Found::warning(
        seen.present,
        format!("Column {} ({}) is not mapped: these memories would be found by their words only", column.name, column.declared),
        format!(
            "[map] embedding = {{ from = \"{0}\", model = \"…\" }}, or [keep] drop = {{ {0} = \"why\" }}",
            column.name
        ),
    )
}
