//! A target that is no store has no place for some of what a memory says.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows};
use crate::canon::FIELDS;
use crate::mapping::Note;

pub(super) const CHECK: Check = Check {
    id: "not-carried",
    severity: Severity::Danger,
    title: "fields that the target has no place for",
    means: "The rows say something in fields that the target cannot hold. It stays behind.",
    cure: "Map it into a field that the target has (`metadata` of a pgmnemo, `propagation` of a memory plugin), or leave it out of the map.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    facts.target.foreign.as_ref()?;
    let lost: Vec<(&str, u64)> = (0_u8..)
        .zip(FIELDS)
        .map(|(at, field)| (field, facts.noted(Note::NotCarried(at))))
        .filter(|(_, count)| *count > 0)
        .collect();
    let most = lost.iter().map(|(_, count)| *count).max()?;
    let said: Vec<String> = lost.iter().map(|(field, count)| format!("{field} of {}", rows(*count))).collect();
    Found::danger(
        most,
        format!("the target has no place for {}", list(&said, FIELDS.len())),
        "it into metadata of a pgmnemo, into propagation of a memory plugin, or leave the field out of the map",
    )
}
