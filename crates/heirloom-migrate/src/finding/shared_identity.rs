//! The same role reads the source and writes the target, so that a mistake on one side has the rights of the other.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "shared-identity",
    severity: Severity::Warning,
    title: "one credential for reading and writing",
    means: "One role reads the source and writes the store: a mistake on one side has the rights of the other.",
    cure: "Give the source a role of its own that may only select.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let same_server = facts.same_database || facts.source.server == facts.target.identity.server;
    if facts.source.role == "file" || facts.source.role != facts.target.identity.role || !same_server {
        return None;
    }
    Found::warning(
        None,
        format!("Role {} both reads the source and writes the store", facts.source.role),
        "give the source a role of its own that may only select from the table, and refer to it by [source] url",
    )
}
