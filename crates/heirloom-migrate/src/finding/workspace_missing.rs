//! Rows whose namespace cannot be made because a column of the template is null or empty, or a node is not in the tree.
//!
//! In the first seed `workspace_id` is nullable, and its recipe would write them to `workspace:`.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::rows_do;
use crate::mapping::RejectCode;

pub(super) const CHECK: Check = Check {
    id: "workspace-missing",
    severity: Severity::Danger,
    title: "rows without the column their namespace is made of",
    means: "A part of the namespace is null, empty or not in the tree; such rows are set aside.",
    cure: "Mend them at the source, add `otherwise` under `[namespace]`, or allow them in `[reject] budget`.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let missing = facts.rejected(RejectCode::NamespaceMissing);
    if missing == 0 {
        return None;
    }
    Found::danger(
        missing,
        format!("{} a part of their namespace and will be set aside", rows_do(missing, "lack")),
        "mend them at the source, add a rule for them under [namespace] (from and values, with otherwise = \"custom:unassigned\"), or allow them in [reject] budget",
    )
}
