//! How a value is shown in a plan: as text, cut when long, hidden when it looks like a credential.

use heirloom_store::{Moment, redact};

use crate::value::Value;

/// Longest text shown, in characters.
const LONGEST: usize = 120;

/// The whole value as text; `None` is NULL. Vectors and binary are described, not spelled out.
pub(crate) fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float32(number) => number.to_string(),
        Value::Float64(number) => number.to_string(),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) | Value::Other(text) => text.clone(),
        Value::InvalidText(bytes) => format!("({} bytes that are not UTF-8)", bytes.len()),
        Value::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        Value::Moment(moment) => moment_text(*moment),
        Value::LocalTime(moment) => moment_text(*moment).trim_end_matches('Z').to_owned(),
        Value::Date(days) => jiff::civil::Date::constant(1970, 1, 1)
            .checked_add(jiff::Span::new().try_days(*days).unwrap_or_default())
            .map_or_else(|_| format!("day {days}"), |date| date.to_string()),
        Value::Interval { months, days, micros } => format!("{months} months {days} days {micros} us"),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Vector(floats) => format!("({} dimensions)", floats.len()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item).unwrap_or_else(|| "null".to_owned())).collect();
            format!("[{}]", items.join(", "))
        }
    })
}

/// A moment as RFC 3339, or `infinity`.
pub(crate) fn moment_text(moment: Moment) -> String {
    match moment {
        Moment::Infinity => "infinity".to_owned(),
        Moment::NegativeInfinity => "-infinity".to_owned(),
        Moment::Micros(micros) => jiff::Timestamp::from_microsecond(micros)
            .map_or_else(|_| format!("{micros} us since 1970"), |timestamp| timestamp.to_string()),
    }
}

/// Fit to be shown: cut, or hidden when it looks like a credential.
pub(crate) fn cut(text: &str) -> String {
    if let Some(label) = redact::findings(text).keys().next() {
        return format!("(hidden: holds a credential, {label}; {} characters)", text.chars().count());
    }
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        let shown = cut(&"木".repeat(200));
        assert!(shown.starts_with(&"木".repeat(LONGEST)) && shown.ends_with("(200 characters)"), "{shown}");
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn a_credential_is_hidden() {
        let shown = cut("my key is sk-abcdefghijklmnop1234");
        assert!(!shown.contains("abcdef") && shown.contains("SK_TOKEN"), "{shown}");
    }

    #[test]
    fn values_read_as_their_source_prints_them() {
        for (value, shown) in [
            (Value::Null, None),
            (Value::Bool(true), Some("true")),
            (Value::Date(-1), Some("1969-12-31")),
            (Value::Moment(Moment::Micros(0)), Some("1970-01-01T00:00:00Z")),
            (Value::LocalTime(Moment::Micros(1)), Some("1970-01-01T00:00:00.000001")),
            (Value::Moment(Moment::Infinity), Some("infinity")),
            (Value::Vector(vec![0.0; 3]), Some("(3 dimensions)")),
            (Value::Array(vec![Value::Int(1), Value::Null]), Some("[1, null]")),
        ] {
            assert_eq!(text(&value).as_deref(), shown);
        }
    }
}
