//! Credentials that agents wrote down in clear. Counted by shape, never shown.
//!
//! Only shapes that hardly anything else has; a password in prose is not found. Nothing is rewritten: a memory moves
//! as it is, and it is for its owner to forget it and to change the key.

use super::facts::Facts;
use super::{Check, Found, list, rows_do};

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
        format!("{} what looks like a credential: {}. They are carried as they are, for every reader of their namespace", rows_do(count, "hold"), list(&shapes, 6)),
        "change these credentials; then clean the rows at the source, or forget them in the store after apply",
    )
}

/// How a token begins, how many token characters follow at least, and what it is called.
const TOKENS: &[(&str, usize, &str)] = &[
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

/// The first well-known shape of a credential in a text. One pass: every value of a source goes through it.
pub(crate) fn shape(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().find_map(|(at, byte)| match byte {
        b's' | b'g' | b'x' | b'A' if starts_a_word(bytes, at) => token(&bytes[at..]),
        b':' if bytes[at..].starts_with(b"://") && has_password(bytes, at) => Some("URL with password"),
        b'P' if bytes[at..].starts_with(b"PRIVATE KEY-----") => Some("private key"),
        _ => None,
    })
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn starts_a_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || !is_token(bytes[at - 1])
}

fn token(rest: &[u8]) -> Option<&'static str> {
    let (prefix, least, name) = TOKENS.iter().find(|(prefix, ..)| rest.starts_with(prefix.as_bytes()))?;
    let follows = rest[prefix.len()..].iter().take_while(|byte| is_token(**byte)).count();
    (follows >= *least).then_some(*name)
}

/// Whether the URL whose `://` stands at `at` carries `user:password@`. A password to be filled in is none.
fn has_password(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at + 3..];
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'>');
    let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let Some(host) = authority.iter().rposition(|byte| *byte == b'@') else { return false };
    let Some(colon) = authority[..host].iter().position(|byte| *byte == b':') else { return false };
    let has_scheme = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
    has_scheme && authority[colon + 1..host].first().is_some_and(|byte| !matches!(byte, b'$' | b'{' | b'*' | b'<'))
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
            ("密钥sk-abcdefghijklmnop1234", Some("sk- key")),
            ("写下 sk-abcdefghijklmnop1234 之后", Some("sk- key")),
        ] {
            assert_eq!(shape(text), found, "{text}");
        }
    }
}
