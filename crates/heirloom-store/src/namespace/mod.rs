//! The grammar of a namespace: the scope of everything a memory is.
//!
//! A namespace is compared byte for byte, here and in every policy; nothing is folded or trimmed. Deliberately absent:
//! who may use which namespace. That is the caller's [`crate::Scope`] and, below it, row-level security.

mod keep;

pub use keep::{GIVEN_KINDS, Namespace};

use crate::error::{Result, StoreError};

/// Longest namespace, in bytes.
pub const MAX_BYTES: usize = 256;

/// The kinds a namespace may have; any other prefix reads as `custom`.
pub const KINDS: [&str; 5] = ["workspace", "team", "org", "project", "custom"];

const ACCEPTED: &str = "a namespace is a lower-case kind, a colon and a name of letters, digits, `_`, `:`, `.` or `-`, \
                        at most 256 bytes in all, such as `team:research`";

/// Checks a namespace against `^[a-z]+:[A-Za-z0-9_:.-]+$` and 256 bytes.
///
/// # Errors
/// [`StoreError::Invalid`] of the field `namespace`, which says what is wrong and where.
pub fn validate(namespace: &str) -> Result<()> {
    match fault(namespace) {
        None => Ok(()),
        Some(found) => Err(StoreError::Invalid { field: "namespace", found, accepted: ACCEPTED.to_owned() }),
    }
}

/// The kind of a valid namespace: its prefix where that is one of [`KINDS`], `custom` otherwise.
pub fn kind(namespace: &str) -> &'static str {
    let prefix = namespace.split(':').next().unwrap_or_default();
    KINDS.into_iter().find(|kind| *kind == prefix).unwrap_or("custom")
}

/// What is wrong with a namespace, in words; `None` when nothing is.
fn fault(namespace: &str) -> Option<String> {
    if namespace.is_empty() {
        return Some("it is empty".to_owned());
    }
    if namespace.len() > MAX_BYTES {
        return Some(format!("it has {} bytes", namespace.len()));
    }
    let Some((kind, name)) = namespace.split_once(':') else {
        return Some("it has no colon after its kind".to_owned());
    };
    if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Some("its kind is not made of lower-case letters".to_owned());
    }
    if name.is_empty() {
        return Some("nothing follows the colon".to_owned());
    }
    let wrong = name.char_indices().find(|(_, c)| !(c.is_ascii_alphanumeric() || "_:.-".contains(*c)));
    wrong.map(|(at, c)| format!("the character U+{:04X} at byte {}", u32::from(c), kind.len() + 1 + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_grammar_says() {
        for good in ["workspace:a", "team:A.b-c_d:e", "x:1", "project:42", "org::", "custom:..."] {
            validate(good).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        validate(&format!("org:{}", "a".repeat(MAX_BYTES - 4))).expect("256 bytes");
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("org:{}", "a".repeat(MAX_BYTES - 3));
        for bad in [
            "",
            ":",
            "a",
            "a:",
            ":a",
            "Team:a",
            "team1:a",
            "team:a b",
            "team:a,b",
            "team:é",
            "team:a\n",
            " team:a",
            "team:a\0",
            "team:'",
            "te am:a",
            "workspace:",
            long.as_str(),
        ] {
            assert!(validate(bad).is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn the_kind_is_the_prefix_or_custom() {
        assert_eq!(kind("team:a:b"), "team");
        assert_eq!(kind("project:7"), "project");
        assert_eq!(kind("lab:7"), "custom");
    }
}
