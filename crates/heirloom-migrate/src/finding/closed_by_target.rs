//! A pgmnemo closes every open lesson of the same role, topic and commit when another comes, without a word.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows;

pub(super) const CHECK: Check = Check {
    id: "closed-by-target",
    severity: Severity::Danger,
    title: "lessons that the target would hide",
    means: "A pgmnemo takes lessons of one role, topic and commit for versions of one and closes all but the newest, those of other projects too.",
    cure: "Map `artifact_hash` to something of each row's own; or `[target] collisions = \"spread\"` if they are versions of one.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let predicted = facts.predicted.filter(|predicted| predicted.colliding > 0)?;
    Found::danger(
        predicted.colliding,
        format!(
            "{} share role, topic and commit with another, {} of them there already: one of each kind stays open, and {} \
             will be closed",
            rows(predicted.colliding),
            predicted.theirs,
            rows(predicted.closed)
        ),
        "artifact_hash mapped to something of each row's own, or [target] collisions = \"spread\" if they are versions of one",
    )
}
