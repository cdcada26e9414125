//! Credentials that agents wrote down in clear. Counted by shape, never shown.
//!
//! Only shapes that hardly anything else has; a password in prose is not found. Nothing is rewritten: a memory moves
//! as it is, and it is for its owner to forget it and to change the key.

use super::facts::Facts;
use super::{Check, Found, list, rows};

pub(super) const CHECK: Check =
    Check { id: "secret-in-clear", title: "credentials written down in clear", check };

fn check(facts: &Facts<'_>) -> Option<Found> {
    let count = facts.seen.rows_with_secret;
    if count == 0 {
        return None;
    }
    let shapes: Vec<String> = facts.seen.secrets.iter().map(|(shape, count)| format!("{shape} ({count})")).collect();
    Found::danger(
        count,
        format!("{} hold what looks like a credential: {}. They are carried as they are, for every reader of their namespace", rows(count), list(&shapes, 6)),
        "change these credentials; then clean the rows at the source, or forget them in the store after apply",
    )
}

/// The first well-known shape of a credential in a text.
pub(crate) fn shape(text: &str) -> Option<&'static str> {
    const PREFIXES: &[(&str, usize, &str)] = &[
        ("sk-", 16, "sk- key"),
        ("ghp_", 16, "GitHub token"),
        ("gho_", 16, "GitHub token"),
        ("ghs_", 16, "GitHub token"),
        ("github_pat_", 16, "GitHub token"),
        ("glpat-", 16, "GitLab token"),
        ("xoxb-", 10, "Slack token"),
        ("xoxp-", 10, "Slack token"),
        ("AKIA", 16, "AWS key id"),
        ("ASIA", 16, "AWS key id"),
        ("AIza", 30, "Google key"),
    ];
    if text.contains("PRIVATE KEY-----") {
        return Some("private key");
    }
    if has_url_with_password(text) {
        return Some("URL with password");
    }
    PREFIXES.iter().find(|(prefix, least, _)| has_token(text, prefix, *least)).map(|(_, _, name)| *name)
}

/// Whether `prefix` stands at the start of a word and at least `least` token characters follow.
fn has_token(text: &str, prefix: &str, least: usize) -> bool {
    text.match_indices(prefix).any(|(at, _)| {
        let starts_a_word = !text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
        let follows = text[at + prefix.len()..]
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            .count();
        starts_a_word && follows >= least
    })
}

/// Whether a URL carries `user:password@`.
fn has_url_with_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, mark)| {
        let scheme = text[..at].bytes().next_back().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let rest = &text[at + mark.len()..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>')).unwrap_or(rest.len());
        let credentials = rest[..end].rfind('@').and_then(|at| rest[..at].split_once(':'));
        scheme && credentials.is_some_and(|(_, password)| !password.is_empty() && !password.starts_with(['$', '{', '*', '<']))
    })
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn a_shape_is_found_and_prose_is_not() {
        for (text, found) in [
            ("the key is sk-abcdefghijklmnop1234", Some("sk- key")),
            ("token=ghp_abcdefghijklmnopqrstuvwxyz0123456789", Some("GitHub token")),
            ("AKIAIOSFODNN7EXAMPLE", Some("AWS key id")),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII", Some("private key")),
            ("use postgres://app:hunter2@db:5432/x", Some("URL with password")),
            ("use postgres://app:${PASSWORD}@db/x", None),
            ("see https://example.org/a:b@c", None),
            ("task-abcdefghijklmnopqrstuvwxyz is done", None),
            ("disk-abcdefghijklmnopqrstuvwxyz", None),
            ("sk-short", None),
            ("写下 sk-abcdefghijklmnop1234 之后", Some("sk- key")),
        ] {
            assert_eq!(shape(text), found, "{text}");
        }
    }
}
