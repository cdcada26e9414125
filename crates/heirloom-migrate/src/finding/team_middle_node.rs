//! In the first platform the TEAM rows of a workspace with a parent and children were seen by both; `team:<parent>` is seen by one side only.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;

pub(super) const CHECK: Check = Check {
    id: "team-middle-node",
    severity: Severity::Warning,
    title: "team rows of a node in the middle lose some readers",
    means: "Team rows of a node with a parent and children lose one side of their readers.",
    cure: "List the team namespace in the children's scope, or write a rule for these rows.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.seen.team_of_middle;
    if count == 0 {
        return None;
    }
    Found::warning(
        count,
        format!("{} to workspaces that have a parent and children; in team:{{team_root}} the children no longer see them", rows_do(count, "belong")),
        "list the team namespace of such a workspace in its children's scope, or write a rule of its own for them",
    )
}
