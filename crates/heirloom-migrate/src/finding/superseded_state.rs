//! The second seed's guide maps to `superseded` and leaves it out of its list of states. The store knows it, and does not recall it.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, words};

pub(super) const CHECK: Check = Check {
    id: "superseded-state",
    severity: Severity::Note,
    title: "superseded is a state, whatever the guide's list says",
    means: "Rows become `superseded`, a state that is kept and not recalled.",
    cure: "Map `replaced` and `superseded` as you mean them.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let mut count = 0;
    let mut says = Vec::new();
    for value in facts.enumerations.iter().filter(|e| e.field == "state").flat_map(|e| &e.values) {
        let Some(text) = value.value.as_deref().filter(|text| words::is_one_of(text, &["replaced", "superseded"])) else { continue };
        count += value.count;
        says.push(format!("{text} becomes {}", value.becomes));
    }
    if count == 0 {
        return None;
    }
    Found::note(
        count,
        format!("The guide's list of states lacks superseded; the store has it. Here {}", list(&says, 4)),
        "state = { …, values = { replaced = \"superseded\", superseded = \"superseded\" } }",
    )
}
