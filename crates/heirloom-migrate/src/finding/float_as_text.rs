//! A binary float has no text of its own: the store gets the shortest one that reads back the same.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "float-as-text",
    severity: Severity::Note,
    title: "floats written as text",
    means: "Binary floats become text: the shortest that reads back the same.",
    cure: "Nothing; ids that passed through a float may have lost digits before.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    const TEXT: &[&str] = &["role", "topic", "content", "source_run_id", "source_task_id", "commit_sha", "artifact_hash", "content_type", "source_dag_id"];
    let columns: Vec<_> = facts
        .columns()
        .filter(|(column, seen)| seen.floats > 0 && TEXT.iter().any(|field| facts.from(field).any(|from| from == column.name)))
        .collect();
    let count = columns.iter().map(|(_, seen)| seen.floats).sum::<u64>();
    if count == 0 {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name.as_str()).collect();
    Found::note(
        count,
        format!("{} a binary float in {} that becomes text: the shortest that reads back the same", rows_do(count, "have"), list(&names, 4)),
        "nothing; ids that passed through a float may have lost digits before",
    )
}
