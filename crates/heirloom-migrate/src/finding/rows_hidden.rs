//! A role that row-level security binds reads less than the table has, and nothing in what it reads says so.

use super::facts::Facts;
use super::{Check, Found, Severity};

pub(super) const CHECK: Check = Check {
    id: "rows-hidden",
    severity: Severity::Warning,
    title: "policies decide which rows are read",
    means: "Row-level security of the source decides which rows the reading role sees; what it hides is neither counted nor handed down.",
    cure: "Read as the table's owner or a role with BYPASSRLS; or nothing, where the policies show exactly this tenant's rows.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if !facts.source.filtered {
        return None;
    }
    Found::warning(
        None,
        format!(
            "Policies of {} decide which rows role {} sees; what they hide is neither counted nor handed down",
            facts.table.name, facts.source.role
        ),
        "read as the table's owner or a role with BYPASSRLS; nothing, where the policies show exactly this tenant's rows",
    )
}
