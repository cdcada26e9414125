//! An entity whose name another one bears is refused by the target's own index.

use super::facts::Facts;
use super::{Check, Found, Severity, list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "entity-name-taken",
    severity: Severity::Danger,
    title: "entities of one name",
    means: "A pgmnemo keeps one open entity of a `canonical_name` in a project, whatever its capitals, and takes no second.",
    cure: "Give each a name of its own in `metadata`; or map `content_type`, `is_active` or `valid_to` so that one of each name is an open entity.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let predicted = facts.predicted.filter(|predicted| predicted.namesakes > 0)?;
    Found::danger(
        predicted.namesakes,
        format!(
            "{} the canonical_name of another entity of their project, {} of them there already (keys {})",
            rows_do(predicted.namesakes, "have"),
            predicted.namesakes_there,
            list(&predicted.namesake_keys, 5)
        ),
        "a name of each row's own in metadata, or content_type, is_active or valid_to so that one of each name is an open entity",
    )
}
