//! A column taken for a list of values holds so many that the plan does not list them all.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "many-values",
    severity: Severity::Warning,
    title: "more distinct values than a plan can list",
    means: "A column taken for a list of values holds more than the plan lists.",
    cure: "Map the column plainly; a rule for so many values is seldom meant.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let many: Vec<&crate::plan::Enumeration> = facts.enumerations.iter().filter(|e| e.unlisted > 0).collect();
    let count = many.iter().map(|e| e.unlisted).sum::<u64>();
    if count == 0 {
        return None;
    }
    let names: Vec<String> = many.iter().map(|e| format!("{} (for {})", e.column, e.field)).collect();
    Found::warning(
        count,
        format!("{} values of {} beyond the {} the plan lists", rows_do(count, "have"), list(&names, 4), crate::plan::MOST_VALUES),
        "a rule for a column with so many values is seldom meant; map it plainly",
    )
}
