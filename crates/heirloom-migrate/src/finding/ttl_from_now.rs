//! The guide's table counts a time to live from now, its section 4 from the row's creation. Here it counts from the row; a TTL nobody maps is as wrong.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::{rows_do, words};
use crate::file::{FieldSpec, Ttl};

pub(super) const CHECK: Check = Check {
    id: "ttl-from-now",
    severity: Severity::Warning,
    title: "a time to live counted from the day of the migration",
    means: "A time to live is not mapped, lacks the time it counts from, or was once counted from the day of the migration.",
    cure: "Map `expires_at` with `ttl` and `since`; it counts from the row's own time.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    if facts.seen.without_start > 0 {
        return Found::warning(
            facts.seen.without_start,
            format!("{} a time to live and no time it counts from; they are set aside, never counted from today", rows_do(facts.seen.without_start, "have")),
            "expires_at = { …, since = \"a column that is set\" }",
        );
    }
    if !facts.is_mapped("expires_at")
        && let Some((column, seen)) = facts.named(words::TTL).find(|(column, seen)| seen.present > 0 && !facts.is_used(&column.name))
    {
        return Found::warning(
            seen.present,
            format!("Column {} limits how long a row lives and feeds no field: these memories would never expire", column.name),
            format!("expires_at = {{ from = \"{}\", ttl = \"seconds\", since = \"created_at\" }}, or ttl = \"interval\" or \"absolute\"", column.name),
        );
    }
    let is_relative = |spec: &&FieldSpec| spec.ttl.as_ref().is_some_and(|ttl| ttl.value != Ttl::Absolute);
    let spec = facts.specs("expires_at").find(is_relative)?;
    if facts.seen.expiring == 0 {
        return None;
    }
    Found::note(
        facts.seen.expiring,
        format!(
            "The guide's table counts a time to live from the day of the migration; here it counts from {}, as its section 4 does",
            spec.since.as_ref().map_or("the row's creation", |since| since.value.as_str())
        ),
        "nothing",
    )
}
