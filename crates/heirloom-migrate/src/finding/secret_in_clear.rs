//! Credentials that agents wrote down in clear. Counted by kind, never shown; the keys of a few rows say where.
//!
//! Found by the rules of the store's redaction. Whether the rows move without them is for the file to say (`redact`);
//! either way the source has them still, and it is for its owner to change the key.

use super::facts::Facts;
use crate::file::Redact;
use super::{Check, Found, Severity, list, rows_do};

pub(super) const CHECK: Check = Check {
    id: "secret-in-clear",
    severity: Severity::Danger,
    title: "credentials written down in clear",
    means: "Texts hold what looks like a credential. They are counted by kind and never shown; a few keys say where.",
    cure: "Change the credentials, and write redact = \"apply\": they are taken out on the way. Or clean the rows at the source.",
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
    if facts.file.redact == Redact::Apply {
        return Found::note(
            count,
            format!(
                "{} what looks like a credential: {} (key {}{more}). They are taken out on the way: memory, origin and rejects keep [REDACTED:…] in their place, and the source row cannot be rebuilt byte for byte",
                rows_do(count, "hold"),
                list(&kinds, 20),
                keys.join(", ")
            ),
            "change these credentials: the source has them still",
        );
    }
    Found::danger(
        count,
        format!(
            "{} what looks like a credential: {} (key {}{more}). They are carried as they are, for every reader of their namespace",
            rows_do(count, "hold"),
            list(&kinds, 20),
            keys.join(", ")
        ),
        "redact = \"apply\" at the top takes them out on the way; change these credentials, for the source has them still",
    )
}
