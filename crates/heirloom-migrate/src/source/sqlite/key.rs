//! Keys in canonical text, and back to the value as stored, so that ranges compare as SQLite orders.
//!
//! Integers and reals are written as numbers, text as it is, binary as `x'…'`, text that is not UTF-8 as `t'…'`. Text that
//! would read as one of the others gets a `'` before it; a column of text affinity stores no numbers, so that `5` needs
//! none there.

use std::fmt::Write as _;

use rusqlite::types::{Value as Stored, ValueRef};

/// Whether a declared type stores numbers as text (SQLite's rules of affinity: CHAR, CLOB or TEXT, and not INT).
pub(super) fn is_text_affinity(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    !declared.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|word| declared.contains(word))
}

/// The canonical text of a stored key; `None` for NULL, which is no key.
pub(super) fn write(value: ValueRef<'_>, text_affinity: bool) -> Option<String> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Blob(bytes) => format!("x'{}'", hex(bytes)),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Err(_) => format!("t'{}'", hex(bytes)),
            Ok(text) if is_ambiguous(text, text_affinity) => format!("'{text}"),
            Ok(text) => text.to_owned(),
        },
    })
}

/// The value to compare with, from its canonical text. Text that is not UTF-8 is bound as binary and must be cast.
pub(super) fn read(text: &str, text_affinity: bool) -> (Stored, bool) {
    if let Some(rest) = text.strip_prefix('\'') {
        return (Stored::Text(rest.to_owned()), false);
    }
    if let Some(bytes) = unhex(text, "x'") {
        return (Stored::Blob(bytes), false);
    }
    if let Some(bytes) = unhex(text, "t'") {
        return (Stored::Blob(bytes), true);
    }
    if !text_affinity && let Some(number) = number(text) {
        return (number, false);
    }
    (Stored::Text(text.to_owned()), false)
}

fn is_ambiguous(text: &str, text_affinity: bool) -> bool {
    text.starts_with('\'')
        || unhex(text, "x'").is_some()
        || unhex(text, "t'").is_some()
        || (!text_affinity && number(text).is_some())
}

fn number(text: &str) -> Option<Stored> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(Stored::Integer(number));
    }
    text.parse::<f64>().ok().map(Stored::Real)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &str, tag: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix(tag)?.strip_suffix('\'')?;
    if digits.len() % 2 != 0 || !digits.is_ascii() {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_key_comes_back_as_stored() {
        let texts = ["a", "", "5", "-1", "1.5", "nan", "'", "'5", "x'00'", "x'", "t'ff'", "x'0'", "ä\0b", "1e3"];
        for affinity in [false, true] {
            for text in texts {
                let written = write(ValueRef::Text(text.as_bytes()), affinity).unwrap();
                assert_eq!(read(&written, affinity), (Stored::Text(text.into()), false), "{text} as {written}");
            }
            let blob = write(ValueRef::Blob(&[0, 255]), affinity).unwrap();
            assert_eq!(read(&blob, affinity), (Stored::Blob(vec![0, 255]), false));
            let invalid = write(ValueRef::Text(&[255]), affinity).unwrap();
            assert_eq!(read(&invalid, affinity), (Stored::Blob(vec![255]), true));
        }
        for number in [i64::MIN, -1, 0, 7, i64::MAX] {
            let written = write(ValueRef::Integer(number), false).unwrap();
            assert_eq!(read(&written, false), (Stored::Integer(number), false));
        }
        for number in [0.1, -0.0, 1e300, 5.0, f64::INFINITY] {
            let written = write(ValueRef::Real(number), false).unwrap();
            assert_eq!(read(&written, false), (Stored::Real(number), false));
        }
        assert_eq!(write(ValueRef::Text(b"5"), true).unwrap(), "5");
        assert_eq!(write(ValueRef::Null, true), None);
    }
}
