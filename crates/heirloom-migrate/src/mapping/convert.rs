//! Values to the types of memory fields. Errors say what was found and what is accepted, never the value.

use serde_json::{Map, Value as Json};

use super::RejectCode;
use super::field::{Kind, MAX_TEXT_BYTES};
use crate::source::verbatim::verbatim;
use crate::value::Value;

/// Why a value does not fit, before field and column are known.
pub(super) type Misfit = (RejectCode, String);

/// A value's text where it has an obvious one: what templates and value maps compare.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Other(text) => Some(text.clone()),
        Value::Null | Value::InvalidText(_) | Value::Bytes(_) | Value::Vector(_) | Value::Array(_) => None,
        other => match verbatim(other, None) {
            Json::String(text) => Some(text),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(value) => Some(value.to_string()),
            _ => None,
        },
    }
}

/// Text for a text field. Valid UTF-8 without NUL, byte for byte as it was.
pub(super) fn text(value: &Value) -> Result<String, Misfit> {
    if let Value::InvalidText(bytes) = value {
        return Err((
            RejectCode::InvalidUtf8,
            format!("{} bytes that are not UTF-8; accepted: UTF-8 text", bytes.len()),
        ));
    }
    fits_a_field(value)?;
    let text = plain_text(value).ok_or_else(|| mismatch(value, Kind::Text))?;
    if text.contains('\0') {
        return Err((
            RejectCode::Nul,
            format!("text of {} bytes with a NUL character, which PostgreSQL cannot keep", text.len()),
        ));
    }
    Ok(text)
}

/// Text that stands in an index, whose pages take no longer one.
pub(super) fn label(value: &Value, most: usize) -> Result<String, Misfit> {
    let text = text(value)?;
    fits(text.len(), most)?;
    Ok(text)
}

fn fits(bytes: usize, most: usize) -> Result<(), Misfit> {
    if bytes > most {
        return Err((RejectCode::TooLarge, format!("text of {bytes} bytes; accepted: at most {most}")));
    }
    Ok(())
}

/// Refuses what no field takes, before a copy of it is made.
fn fits_a_field(value: &Value) -> Result<(), Misfit> {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Other(text) => fits(text.len(), MAX_TEXT_BYTES),
        _ => Ok(()),
    }
}

/// A whole number in the field's range.
pub(super) fn integer(value: &Value, kind: Kind) -> Result<i64, Misfit> {
    let Kind::Integer(low, high) = kind else { return Err(mismatch(value, kind)) };
    let number = match value {
        Value::Int(number) => Some(*number),
        Value::Bool(_) => None,
        other => number(other).filter(|number| number.fract() == 0.0 && number.abs() < 9e15).map(|number| {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
            let whole = number as i64;
            whole
        }),
    };
    let number = number.ok_or_else(|| mismatch(value, kind))?;
    if (low..=high).contains(&number) {
        Ok(number)
    } else {
        Err((RejectCode::OutOfRange, format!("a number outside {low} to {high}")))
    }
}

/// A finite number, from any numeric value or text that is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        #[expect(clippy::cast_precision_loss, reason = "scales and shares are small")]
        Value::Int(number) => *number as f64,
        Value::Float32(number) => f64::from(*number),
        Value::Float64(number) => *number,
        Value::Decimal(text) | Value::Text(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A boolean from a boolean, 0 and 1, or the words PostgreSQL reads as one.
pub(super) fn boolean(value: &Value) -> Result<bool, Misfit> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Int(0) => Ok(false),
        Value::Int(1) => Ok(true),
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
            _ => Err(mismatch(value, Kind::Bool)),
        },
        _ => Err(mismatch(value, Kind::Bool)),
    }
}

/// Whether a flag or a status says yes: true, a number other than 0, a time, or the guide's one word `verified`. What
/// was approved or confirmed was not for that reason verified: a file that means so lists the word in `values`.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Int(number) => *number != 0,
        Value::Decimal(_) | Value::Float32(_) | Value::Float64(_) => number(value).is_some_and(|number| number != 0.0),
        Value::Text(text) | Value::Other(text) => {
            matches!(text.trim().to_lowercase().as_str(), "true" | "t" | "yes" | "y" | "on" | "1" | "verified")
        }
        Value::Moment(_) | Value::LocalTime(_) | Value::Date(_) => true,
        _ => false,
    }
}

/// JSON for a `jsonb` field: parsed, because what `json` accepts `jsonb` may refuse.
pub(super) fn json(value: &Value) -> Result<Json, Misfit> {
    fits_a_field(value)?;
    let parsed = match value {
        Value::Json(text) => parse(text)?,
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) => match parse(text) {
            Ok(parsed) => parsed,
            Err(_) => Json::String(text.clone()),
        },
        Value::Text(text) => Json::String(text.clone()),
        Value::InvalidText(bytes) => {
            return Err((
                RejectCode::InvalidUtf8,
                format!("{} bytes that are not UTF-8; accepted: UTF-8 text", bytes.len()),
            ));
        }
        Value::Array(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        other => verbatim(other, None),
    };
    if has_nul(&parsed) {
        return Err((RejectCode::InvalidJson, "JSON with the character \\u0000, which jsonb cannot keep".into()));
    }
    Ok(parsed)
}

fn parse(text: &str) -> Result<Json, Misfit> {
    if has_parser_word(text) {
        return Err((
            RejectCode::InvalidJson,
            format!(
                "JSON of {} bytes with a key that begins with {PARSER_WORD}, which cannot be read as it is",
                text.len()
            ),
        ));
    }
    let wrong = |what: &str, error: Option<&serde_json::Error>| {
        let place =
            error.map_or_else(String::new, |error| format!(", at its line {} column {}", error.line(), error.column()));
        (RejectCode::InvalidJson, format!("JSON of {} bytes {what}{place}", text.len()))
    };
    let parsed = serde_json::from_str(text).map_err(|error| {
        // Nothing but the parser's words tells this from a mistake in the text.
        let deep = error.to_string().starts_with("recursion limit exceeded");
        wrong(if deep { "that is nested deeper than 127 levels" } else { "that jsonb cannot keep" }, Some(&error))
    })?;
    if has_number_beyond(&parsed) {
        return Err(wrong(
            "with a number that jsonb cannot keep: beyond 131,072 digits, or 16,383 after the point",
            None,
        ));
    }
    Ok(parsed)
}

fn has_number_beyond(value: &Json) -> bool {
    match value {
        Json::Number(number) => is_beyond(number.as_str()),
        Json::Array(items) => items.iter().any(has_number_beyond),
        Json::Object(object) => object.values().any(has_number_beyond),
        _ => false,
    }
}

/// Whether a JSON number is none of PostgreSQL's `numeric`, by the limits of `numeric_in`: digits after the point, digits
/// before it in groups of four, and an exponent that is no number of its own.
fn is_beyond(number: &str) -> bool {
    const MOST_AFTER: i64 = 16_383;
    const MOST_BEFORE: i64 = 131_072;
    const MOST_EXPONENT: i64 = (i32::MAX / 2) as i64;
    // Most numbers are short: no digits and no exponent of theirs come near a limit.
    if number.len() < 5_000 && !number.contains(['e', 'E']) {
        return false;
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let Ok(exponent) = exponent.parse::<i64>() else { return true };
    if exponent.abs() > MOST_EXPONENT {
        return true;
    }
    let (whole, part) =
        mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
    let after = (part.len() as i64 - exponent).max(0);
    let first = whole.bytes().chain(part.bytes()).position(|digit| digit != b'0');
    // The place of the first digit that counts: 0 is the one before the point.
    let before = first.map_or(0, |first| whole.len() as i64 - first as i64 + exponent);
    after > MOST_AFTER || before > MOST_BEFORE
}

/// How the JSON parser marks numbers of any precision inside itself: it reads an object with such a key as a number.
const PARSER_WORD: &str = "$serde_json::private::";

/// Whether a key begins with the parser's own word.
pub(super) fn is_parser_word(key: &str) -> bool {
    key.starts_with(PARSER_WORD)
}

/// Whether a key of the text, escapes resolved, begins with the parser's own word.
fn has_parser_word(text: &str) -> bool {
    if !text.contains("private") && !text.contains("\\u") {
        return false;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(open) = bytes[at..].iter().position(|byte| *byte == b'"').map(|found| at + found) {
        let mut close = open + 1;
        while let Some(byte) = bytes.get(close).filter(|byte| **byte != b'"') {
            close += if *byte == b'\\' { 2 } else { 1 };
        }
        at = (close + 1).min(bytes.len());
        let is_key = text[at..].trim_start().starts_with(':');
        let key = || serde_json::from_str::<String>(text.get(open..at).unwrap_or_default());
        if is_key && key().is_ok_and(|key| is_parser_word(&key)) {
            return true;
        }
    }
    false
}

fn has_nul(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(has_nul),
        Json::Object(object) => object.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// Objects merged in order, later keys win; any other value under its column's name. `None` when nothing was said.
pub(super) fn merge<'a>(parts: impl Iterator<Item = (&'a str, Json, bool)>) -> Option<Json> {
    let mut merged = Map::new();
    for (column, value, is_said) in parts {
        match value {
            Json::Null => {}
            Json::Object(object) if is_said => merged.extend(object),
            other => {
                merged.insert(column.to_owned(), other);
            }
        }
    }
    (!merged.is_empty()).then_some(Json::Object(merged))
}

/// The floats of a vector: a vector, an array of numbers, the text form of either (`[0.1,0.2]`, `{0.1,0.2}`), or the
/// bytes of little-endian single-precision floats, as SQLite's vector extensions and numpy write them.
pub(super) fn vector(value: &Value) -> Result<Vec<f32>, Misfit> {
    let elements = match value {
        Value::Vector(elements) => elements.clone(),
        Value::Array(items) => elements(items.iter().map(float32))?,
        Value::Text(text) | Value::Json(text) | Value::Other(text) => {
            let list = vector_list(text).ok_or_else(|| {
                let accepted = "accepted: numbers as [0.1,0.2] or {0.1,0.2}";
                (
                    RejectCode::TypeMismatch,
                    format!("text of {} bytes that is no list of numbers; {accepted}", text.len()),
                )
            })?;
            if list.is_empty() { Vec::new() } else { elements(list.split(',').map(|part| part.trim().parse().ok()))? }
        }
        Value::Bytes(bytes) if bytes.len().is_multiple_of(4) => {
            bytes.as_chunks::<4>().0.iter().map(|element| f32::from_le_bytes(*element)).collect()
        }
        Value::Bytes(bytes) => {
            let accepted = "accepted: little-endian floats of 4 bytes each";
            return Err((RejectCode::TypeMismatch, format!("{} bytes, not a multiple of 4; {accepted}", bytes.len())));
        }
        _ => return Err(mismatch(value, Kind::Vector)),
    };
    if elements.is_empty() || elements.iter().any(|element| !element.is_finite()) {
        return Err((RejectCode::VectorInvalid, "a vector that is empty or holds NaN or an infinity".into()));
    }
    if elements.iter().all(|element| *element == 0.0) {
        return Err((RejectCode::VectorInvalid, "a vector of zeros only, which has no direction".into()));
    }
    Ok(elements)
}

/// What stands between the brackets of a vector's text form, without outer space.
pub(crate) fn vector_list(text: &str) -> Option<&str> {
    let text = text.trim();
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close).map(str::trim);
    inside('[', ']').or_else(|| inside('{', '}'))
}

fn elements(items: impl Iterator<Item = Option<f32>>) -> Result<Vec<f32>, Misfit> {
    items
        .enumerate()
        .map(|(at, element)| {
            element.ok_or_else(|| (RejectCode::TypeMismatch, format!("a vector whose element {} is no number", at + 1)))
        })
        .collect()
}

fn float32(value: &Value) -> Option<f32> {
    match value {
        Value::Float32(element) => Some(*element),
        #[expect(clippy::cast_possible_truncation, reason = "embeddings are single precision")]
        other => number(other).map(|element| element as f32),
    }
}

pub(super) fn mismatch(value: &Value, kind: Kind) -> Misfit {
    (RejectCode::TypeMismatch, format!("a value of type {}; accepted: {}", value.type_name(), kind.accepted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_spells_the_parser_s_own_word_for_a_number_is_no_number() {
        for text in [
            r#"{"$serde_json::private::Number":"1"}"#,
            r#"{"a":[{"$serde_json::private::Number":"1"}]}"#,
            r#"{"\u0024serde_json::private::Number":"1"}"#,
        ] {
            assert_eq!(json(&Value::Json(text.into())).unwrap_err().0, RejectCode::InvalidJson, "{text}");
        }
        // As a string it is text like any other.
        assert!(json(&Value::Json(r#"{"note":"$serde_json::private::Number"}"#.into())).is_ok());
    }
}
