//! The canonical bytes of a `jsonb` as PostgreSQL prints it; a second implementation of the rules in the header of
//! [`crate::canon`], on purpose.

use std::collections::BTreeMap;

use serde_json::Value;

/// The key by which serde_json hands numbers around; as a key of data it would be read as a number.
const RESERVED: &[u8] = b"$serde_json::private::";

/// Canonical bytes of JSON text. What this parser cannot take in (deeper than 128, or with a key it reserves for itself)
/// is `?` and the text as it stands, which no mapped value equals: a difference with a place, not an end of the run.
pub(crate) fn canonical(text: &[u8]) -> Vec<u8> {
    parsed(text).unwrap_or_else(|| [b"?", text].concat())
}

fn parsed(text: &[u8]) -> Option<Vec<u8>> {
    if has_reserved_key(text) {
        return None;
    }
    let value: Value = serde_json::from_slice(text).ok()?;
    let mut bytes = Vec::with_capacity(text.len());
    put(&value, &mut bytes)?;
    Some(bytes)
}

/// Whether a key begins with what the parser reserves. As the beginning of a text it is text like any other.
fn has_reserved_key(text: &[u8]) -> bool {
    if !text.windows(RESERVED.len()).any(|window| window == RESERVED) {
        return false;
    }
    let mut rest = text;
    while let Some(open) = rest.iter().position(|byte| *byte == b'"') {
        let inside = &rest[open + 1..];
        let mut end = 0;
        while inside.get(end).is_some_and(|byte| *byte != b'"') {
            // What a backslash escapes does not end the string. PostgreSQL escapes no character of the reserved word.
            end += if inside[end] == b'\\' { 2 } else { 1 };
        }
        rest = inside.get(end + 1..).unwrap_or_default();
        if inside.starts_with(RESERVED) && rest.trim_ascii_start().starts_with(b":") {
            return true;
        }
    }
    false
}

fn put(value: &Value, bytes: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => bytes.push(b'n'),
        Value::Bool(value) => bytes.push(if *value { b't' } else { b'f' }),
        Value::Number(number) => {
            bytes.push(b'd');
            put_text(decimal(number.as_str())?.as_bytes(), bytes)?;
        }
        Value::String(text) => {
            bytes.push(b's');
            put_text(text.as_bytes(), bytes)?;
        }
        Value::Array(items) => {
            bytes.push(b'a');
            bytes.extend_from_slice(&u32::try_from(items.len()).ok()?.to_be_bytes());
            for item in items {
                put(item, bytes)?;
            }
        }
        Value::Object(object) => {
            let sorted: BTreeMap<&[u8], &Value> = object.iter().map(|(key, value)| (key.as_bytes(), value)).collect();
            bytes.push(b'o');
            bytes.extend_from_slice(&u32::try_from(sorted.len()).ok()?.to_be_bytes());
            for (key, value) in sorted {
                put_text(key, bytes)?;
                put(value, bytes)?;
            }
        }
    }
    Some(())
}

fn put_text(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(text.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(text);
    Some(())
}

/// Sign, digits without zeros at either end, `e`, power of ten. Walks the text once and keeps the place of the point.
fn decimal(text: &str) -> Option<String> {
    let mut digits = Vec::new();
    let (mut negative, mut fraction, mut after_point) = (false, 0_i128, false);
    let mut power = 0_i128;
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'-' => negative = true,
            b'.' => after_point = true,
            b'0'..=b'9' => {
                digits.push(byte);
                fraction += i128::from(after_point);
            }
            b'e' | b'E' => {
                let exponent: Vec<u8> = rest.by_ref().filter(|byte| *byte != b'+').collect();
                power = std::str::from_utf8(&exponent).ok()?.parse().ok()?;
            }
            _ => return None,
        }
    }
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    let mut digits = digits.split_off(leading);
    if digits.is_empty() {
        return Some("0e0".to_owned());
    }
    let mut shift = power.checked_sub(fraction)?;
    while digits.last() == Some(&b'0') {
        digits.pop();
        shift = shift.checked_add(1)?;
    }
    let sign = if negative { "-" } else { "" };
    Some(format!("{sign}{}e{shift}", String::from_utf8(digits).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_decimals() {
        for (text, shortest) in [
            ("1", "1e0"),
            ("1.00", "1e0"),
            ("100", "1e2"),
            ("1E+2", "1e2"),
            ("-0.0", "0e0"),
            ("0.10", "1e-1"),
            ("-12.30", "-123e-1"),
            ("1e400", "1e400"),
            ("12345678901234567890.5", "123456789012345678905e-1"),
        ] {
            assert_eq!(decimal(text).as_deref(), Some(shortest), "{text}");
        }
    }

    #[test]
    fn order_of_keys_does_not_matter_but_null_does() {
        assert_eq!(canonical(br#"{"b":1,"a":[]}"#), canonical(br#"{"a":[],"b":1.0}"#));
        assert_ne!(canonical(br#"{"a":null}"#), canonical(b"{}"));
    }

    #[test]
    fn what_cannot_be_taken_in_equals_nothing() {
        let deep = [vec![b'['; 200], vec![b']'; 200]].concat();
        assert_eq!(canonical(&deep), [b"?", deep.as_slice()].concat());
        assert_ne!(canonical(br#"{"$serde_json::private::Number": "1"}"#), canonical(b"1"));
    }

    #[test]
    fn the_parser_s_own_word_is_text_where_it_is_no_key() {
        for text in [
            r#"["$serde_json::private::Number"]"#,
            r#"{"a": "$serde_json::private::Number: \"1\""}"#,
            r#"{"a": "[-1:2]={\"{\\\"$serde_json::private::Number\\\": 1}\"}"}"#,
        ] {
            assert!(!canonical(text.as_bytes()).starts_with(b"?"), "{text}");
        }
        for text in [r#"{"a": {"$serde_json::private::Number": "1"}}"#, r#"{"\\": 1, "$serde_json::private::x" : 1}"#] {
            assert!(canonical(text.as_bytes()).starts_with(b"?"), "{text}");
        }
    }
}
