//! The second seed's guide maps `active` and `approved` to candidate or validated, its example to canonical and validated.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, words};

pub(super) const CHECK: Check = Check {
    id: "ambiguous-state",
    severity: Severity::Warning,
    title: "active and approved mean two things in the guide",
    means: "`active` and `approved` mean different states to different authors; the plan says what they become here.",
    cure: "Write the state you mean under `values`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let mut count = 0;
    let mut says = Vec::new();
    for value in facts.enumerations.iter().filter(|e| e.field == "state").flat_map(|e| &e.values) {
        let Some(text) = value.value.as_deref().filter(|text| words::is_one_of(text, &["active", "approved"])) else { continue };
        count += value.count;
        says.push(format!("{text} becomes {}", value.becomes));
    }
    if count == 0 {
        return None;
    }
    Found::warning(
        count,
        format!("The guide says candidate or validated, its example canonical and validated; here {}", list(&says, 4)),
        "state = { …, values = { active = \"candidate\", approved = \"validated\" } }, whichever you mean",
    )
}
