//! The canonical bytes of a JSON value; the rules stand in the header of [`crate::canon`].
//!
//! Numbers are compared as exact decimals: serde_json hands their text on (`arbitrary_precision`), nothing goes
//! through a float.

use serde_json::Value;

use super::length;

/// Appends the canonical bytes of a value.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(b'n'),
        Value::Bool(true) => out.push(b't'),
        Value::Bool(false) => out.push(b'f'),
        Value::Number(number) => {
            out.push(b'd');
            text(out, &shortest(&number.to_string()));
        }
        Value::String(string) => {
            out.push(b's');
            text(out, string);
        }
        Value::Array(items) => {
            out.push(b'a');
            length(out, items.len());
            items.iter().for_each(|item| write(out, item));
        }
        Value::Object(members) => {
            out.push(b'o');
            length(out, members.len());
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_bytes());
            for (key, value) in members {
                text(out, key);
                write(out, value);
            }
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// The shortest exact form of a JSON number: sign, significant digits, `e`, power of ten.
///
/// A power beyond 128 bits, which no database stores, is left as written.
fn shortest(number: &str) -> String {
    let (sign, unsigned) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return "0e0".to_owned();
    }
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    let shift = trailing as i128 - fraction.len() as i128;
    match power.parse::<i128>().ok().and_then(|power| power.checked_add(shift)) {
        Some(power) => format!("{sign}{significant}e{power}"),
        None => number.to_owned(),
    }
}
