//! The outbox is a write to the source: a table, a function and triggers there, and a row for each row that is written.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "outbox-writes-source",
    severity: Severity::Warning,
    title: "the outbox is a write to the source",
    means: "`outbox` lets `apply --follow` make a table and triggers at the source: each row written there costs one more.",
    cure: "Leave `outbox` out unless changes must follow within seconds, or deletes as soon as they are made.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    facts.file.source.outbox.then_some(())?;
    Found::warning(
        None,
        format!(
            "outbox = true: `apply --follow` makes a table heirloom_outbox_… beside {}, a function and four triggers; every \
             row that is written, changed or deleted there adds a small row, and they stay until `apply --remove-outbox` or `retire`",
            facts.table.name
        ),
        "leave outbox out unless changes must follow within seconds; changed_at and comparing need no write",
    )
}
