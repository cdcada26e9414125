//! A scope or visibility column with several values is there, and the namespace rule does not look at it.
//!
//! The first seed sends every row to `workspace:<id>` although LOCAL, TEAM and GLOBAL rows were seen by different agents.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::words;
use super::list;

pub(super) const CHECK: Check = Check {
    id: "scope-flattened",
    severity: Severity::Danger,
    title: "who may see a row is decided without the column that says so",
    means: "A column says who may see a row, and the namespace rule does not look at it: all rows end in the same namespaces.",
    cure: "Write `[namespace] from` with `values` for each scope, or drop the column with a reason.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let (column, seen) = facts
        .named(words::SCOPE)
        .filter(|(column, seen)| seen.values.len() > 1 && !facts.feeds(&column.name, "namespace"))
        // A tag called `namespace` that is mapped to a field of its own is not the reach of a row.
        .find(|(column, _)| words::fold(&column.name) != "namespace" || !facts.is_used(&column.name))?;
    Found::danger(
        seen.values.values().sum::<u64>(),
        format!(
            "Column {} says who may see a row ({}), and the namespace rule ignores it: all of them end in the same namespaces",
            column.name,
            list(&seen.spelled(), 5)
        ),
        format!(
            "[namespace] from = \"{}\", values = {{ {} }}, or drop the column with a reason if it never counted",
            column.name,
            list(
                &seen.values.keys().map(|value| format!("\"{value}\" = \"…:{{…}}\"")).collect::<Vec<_>>(),
                5
            )
            .replace(" and ", ", ")
        ),
    )
}
