//! The rules a value must pass before it is sent: each refusal names the field, what was found and what is accepted.
//!
//! Nothing here changes a value; text is neither trimmed nor normalised. No message carries content.

use serde_json::Value;

use crate::error::{Result, StoreError};
use crate::list::MAX_PAGE;
use crate::memory::Moment;

/// Longest content of one memory, in bytes: 256 KiB. A text of this size stays below what the text index can hold
/// (1 MiB of lexemes and positions) however it is split into words.
pub const MAX_CONTENT_BYTES: usize = 256 * 1024;

/// Longest label (role, topic, run id and the like), in bytes.
pub const MAX_LABEL_BYTES: usize = 1_024;

/// Longest metadata or propagation, in bytes of JSON text: 256 KiB.
pub const MAX_JSON_BYTES: usize = 256 * 1024;

pub(crate) fn invalid(field: &'static str, found: impl Into<String>, accepted: impl Into<String>) -> StoreError {
    StoreError::Invalid { field, found: found.into(), accepted: accepted.into() }
}

/// The content of a memory: something other than white space, no NUL, at most [`MAX_CONTENT_BYTES`].
/// How long a page is, `usual` when nobody says.
pub(crate) fn page(limit: Option<i64>, usual: i64) -> Result<i64> {
    let limit = limit.unwrap_or(usual);
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(invalid("limit", limit.to_string(), format!("1 to {MAX_PAGE}")))
}

pub(crate) fn content(text: &str) -> Result<()> {
    let accepted = || format!("text that is not blank, holds no NUL and has at most {MAX_CONTENT_BYTES} bytes");
    if text.trim().is_empty() {
        return Err(invalid("content", if text.is_empty() { "it is empty" } else { "it is blank" }, accepted()));
    }
    if let Some(at) = text.find('\0') {
        return Err(invalid("content", format!("a NUL at byte {at}"), accepted()));
    }
    if text.len() > MAX_CONTENT_BYTES {
        return Err(invalid("content", format!("{} bytes", text.len()), accepted()));
    }
    Ok(())
}

/// A short text that may be absent; present, it is not blank, holds no NUL and has at most [`MAX_LABEL_BYTES`].
pub(crate) fn label<'a>(field: &'static str, text: Option<&'a str>) -> Result<Option<&'a str>> {
    let Some(value) = text else { return Ok(None) };
    let accepted = || {
        format!(
            "text that is not blank, holds no NUL and has at most {MAX_LABEL_BYTES} bytes; leave it out to say nothing"
        )
    };
    if value.trim().is_empty() {
        return Err(invalid(field, "it is blank", accepted()));
    }
    if let Some(at) = value.find('\0') {
        return Err(invalid(field, format!("a NUL at byte {at}"), accepted()));
    }
    if value.len() > MAX_LABEL_BYTES {
        return Err(invalid(field, format!("{} bytes", value.len()), accepted()));
    }
    Ok(text)
}

/// The version a caller saw, if it says one, against the one that is there.
pub(crate) fn version(id: uuid::Uuid, found: i32, expected: Option<i32>) -> Result<()> {
    match expected.filter(|expected| *expected != found) {
        None => Ok(()),
        Some(expected) => Err(StoreError::Conflict(format!(
            "The memory {id} is at version {found}, not {expected}: somebody changed it; show it and decide again"
        ))),
    }
}

/// One word of a closed list, exactly as written there.
pub(crate) fn one_of<'a>(field: &'static str, value: &'a str, known: &[&str]) -> Result<&'a str> {
    if known.contains(&value) {
        return Ok(value);
    }
    let found = if value.len() <= 64 { format!("{value:?}") } else { format!("a word of {} bytes", value.len()) };
    Err(invalid(field, found, format!("one of {}", known.join(", "))))
}

/// Importance, 1 to 5.
pub(crate) fn importance(value: i16) -> Result<i16> {
    if (1..=5).contains(&value) {
        return Ok(value);
    }
    Err(invalid("importance", value.to_string(), "1 (least) to 5 (most)"))
}

/// A JSON value that the database can keep. JSON null and `{}` say nothing and become SQL NULL.
pub(crate) fn json<'a>(field: &'static str, value: Option<&'a Value>) -> Result<Option<&'a Value>> {
    let Some(value) = value else { return Ok(None) };
    if value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(None);
    }
    if let Some(what) = json_fault(value) {
        return Err(invalid(field, what, "JSON without NUL characters, numbers of at most 1,000 digits"));
    }
    let bytes = value.to_string().len();
    if bytes > MAX_JSON_BYTES {
        return Err(invalid(field, format!("{bytes} bytes of JSON"), format!("at most {MAX_JSON_BYTES} bytes")));
    }
    Ok(Some(value))
}

/// What the database would refuse in a JSON value.
fn json_fault(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) if text.contains('\0') => Some("a string with a NUL"),
        Value::Number(number) => {
            let text = number.to_string();
            let exponent = text.split(['e', 'E']).nth(1).map_or(Ok(0), str::parse::<i64>);
            let fits = text.len() <= 1_000 && exponent.is_ok_and(|e| e.unsigned_abs() <= 1_000);
            (!fits).then_some("a number too long to keep")
        }
        Value::Array(items) => items.iter().find_map(json_fault),
        Value::Object(map) => map
            .iter()
            .find_map(|(key, value)| if key.contains('\0') { Some("a key with a NUL") } else { json_fault(value) }),
        _ => None,
    }
}

/// An embedding: at most `dimension` finite numbers, not all zero. Narrower ones are padded with zeros, which leaves
/// every cosine as it was.
pub(crate) fn embedding(field: &'static str, values: &[f32], dimension: usize) -> Result<pgvector::Vector> {
    let accepted = || format!("1 to {dimension} finite numbers, not all of them zero");
    if values.is_empty() || values.len() > dimension {
        return Err(invalid(field, format!("{} dimensions", values.len()), accepted()));
    }
    if let Some(at) = values.iter().position(|x| !x.is_finite()) {
        let what = if values[at].is_nan() { "NaN" } else { "an infinity" };
        return Err(invalid(field, format!("{what} at position {at}"), accepted()));
    }
    // The database sums squares in single precision: outside these bounds they vanish or overflow, and the cosine to
    // anything is no number.
    let norm = values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    if norm < 1e-18 {
        return Err(invalid(field, "a zero vector", accepted()));
    }
    if norm > 1e18 {
        return Err(invalid(field, format!("a vector of length {norm:e}"), "a vector of length 1e-18 to 1e18"));
    }
    let mut padded = values.to_vec();
    padded.resize(dimension, 0.0);
    Ok(pgvector::Vector::from(padded))
}

/// A moment that the database can keep, or none.
pub(crate) fn moment(field: &'static str, moment: Option<Moment>) -> Result<()> {
    match moment.filter(|moment| !moment.is_known_to_postgresql()) {
        None => Ok(()),
        Some(beyond) => Err(invalid(field, beyond.to_string(), "4714-11-24 BC to 294276-12-31, or an infinity")),
    }
}

/// A window of validity that is not empty.
pub(crate) fn window(from: Option<Moment>, to: Option<Moment>) -> Result<()> {
    match (from, to) {
        (Some(from), Some(to)) if to <= from => {
            Err(invalid("valid_to", format!("{to}, not after valid_from {from}"), "a time after valid_from"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn content_is_something_without_nul_and_of_bounded_size() {
        for bad in ["", " ", "\n\t\u{2003}", "a\0b"] {
            assert!(content(bad).is_err(), "{bad:?}");
        }
        assert!(content(&"a".repeat(MAX_CONTENT_BYTES)).is_ok());
        assert!(content(&"a".repeat(MAX_CONTENT_BYTES + 1)).is_err());
        assert!(content(" kept as it is \r\n").is_ok());
    }

    #[test]
    fn no_refusal_quotes_content() {
        let error = content("secret\0").expect_err("a NUL").to_string();
        assert!(!error.contains("secret") && error.contains("byte 6"), "{error}");
    }

    #[test]
    fn embeddings_have_a_direction_and_are_padded() {
        assert!(embedding("embedding", &[], 3).is_err());
        assert!(embedding("embedding", &[1.0; 4], 3).is_err());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(embedding("embedding", &[1.0, bad], 3).is_err());
        }
        for bad in [[0.0, -0.0], [1e-30, 0.0], [1e30, 0.0]] {
            assert!(embedding("embedding", &bad, 3).is_err());
        }
        assert_eq!(embedding("embedding", &[1.0, 2.0], 3).expect("fits").as_slice(), [1.0, 2.0, 0.0]);
    }

    #[test]
    fn json_that_says_nothing_is_nothing() {
        assert_eq!(json("metadata", Some(&Value::Null)).expect("null"), None);
        assert_eq!(json("metadata", Some(&json!({}))).expect("empty"), None);
        assert!(json("metadata", Some(&json!([]))).expect("an array says something").is_some());
        assert!(json("metadata", Some(&json!({"a": ["b\0"]}))).is_err());
        assert!(json("metadata", Some(&json!({"a\0": 1}))).is_err());
        let huge: Value = serde_json::from_str("1e200000").expect("JSON");
        assert!(json("metadata", Some(&huge)).is_err());
    }

    #[test]
    fn words_and_ranges() {
        assert!(one_of("state", "draft", &crate::STATES).is_ok());
        assert!(one_of("state", "Draft", &crate::STATES).is_err());
        for (value, good) in [(0, false), (1, true), (5, true), (6, false), (-1, false)] {
            assert_eq!(importance(value).is_ok(), good, "{value}");
        }
    }
}
