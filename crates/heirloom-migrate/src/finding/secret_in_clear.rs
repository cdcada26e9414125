//! Credentials that agents wrote down in clear. Counted by kind, never shown; the keys of a few rows say where.
//!
//! Nothing is rewritten: a memory moves as it is, and it is for its owner to forget it and to change the key.

use super::facts::Facts;
use super::{Check, Found, Severity, list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "secret-in-clear",
    severity: Severity::Danger,
    title: "credentials written down in clear",
    means: "Texts hold what looks like a credential. They are counted by kind and never shown; a few keys say where.",
    cure: "Change the credentials; then clean the rows at the source, or forget the memories after apply.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.seen.rows_with_secret;
    if count == 0 {
        return None;
    }
    let kinds: Vec<String> = facts.seen.secrets.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
    let keys = &facts.seen.secret_keys;
    let more = if count > keys.len() as u64 { ", …" } else { "" };
    Found::danger(
        count,
        format!(
            "{} what looks like a credential: {} (key {}{more}). They are carried as they are, for every reader of their namespace",
            rows_do(count, "hold"),
            list(&kinds, 20),
            keys.join(", ")
        ),
        "change these credentials; then clean the rows at the source, or forget them in the store after apply",
    )
}
