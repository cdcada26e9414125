//! The guide guards against a second run with NOT EXISTS over unindexed metadata: slow, and two runs pass it at once.

use super::facts::Facts;
use super::{Check, Found, Severity};
use crate::file::IdRule;

pub(super) const CHECK: Check = Check {
    id: "idempotency-guard",
    severity: Severity::Note,
    title: "a guard that two runs can pass at once",
    means: "A second run finds what is there by the ids, also beside another run; no guard in metadata is needed.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if facts.counts.rows == 0 {
        return None;
    }
    Found::note(
        None,
        match facts.file.id {
            IdRule::Key => "Ids are the source's own uuids: a second run finds what is there, also beside another one".to_owned(),
            IdRule::Derived => format!("Ids follow from system, tenant, table and key ({}): a second run finds what is there, also beside another one", facts.key.join(", ")),
        },
        "nothing; no guard in metadata is needed",
    )
}
