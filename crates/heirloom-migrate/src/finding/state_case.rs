//! The guide's map compares letter for letter and sends everything else to candidate; here case and outer space are folded.

use super::facts::Facts;
use super::{Check, Found, Severity};
use std::collections::BTreeMap;

use super::{list, words};

pub(super) const CHECK: Check = Check {
    id: "state-case",
    severity: Severity::Note,
    title: "one status in several spellings",
    means: "A status is written in several spellings; case and outer space are folded.",
    cure: "Nothing.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let mut spellings: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let mut count = 0;
    for enumeration in facts.enumerations.iter().filter(|enumeration| enumeration.field == "state") {
        for value in &enumeration.values {
            let Some(text) = value.value.as_deref() else { continue };
            spellings.entry((&enumeration.column, words::fold(text))).or_default().push(text);
            if text != words::fold(text) {
                count += value.count;
            }
        }
    }
    let several: Vec<String> = spellings
        .iter()
        .filter(|(_, texts)| texts.len() > 1)
        .map(|((column, _), texts)| format!("{column}: {}", texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" = ")))
        .collect();
    if count == 0 && several.is_empty() {
        return None;
    }
    let same = if several.is_empty() { String::new() } else { format!(" ({})", list(&several, 4)) };
    Found::note(
        count,
        format!("Values differ from the guide's spelling by case or space only{same}; they are read as the same value"),
        "nothing; with the guide's own statement they would all have become candidate",
    )
}
