//! Values to their verbatim form.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value as Json, json};

use super::time;
use crate::source::Type;
use crate::value::Value;

/// The verbatim form of a value. `ty` is the column's type; `None` for a computed expression.
pub fn verbatim(value: &Value, ty: Option<Type>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Decimal(text) => number(text).unwrap_or_else(|| Json::String(text.clone())),
        Value::Float32(value) if value.is_finite() => float(&format!("{value:?}")),
        Value::Float64(value) if value.is_finite() => float(&format!("{value:?}")),
        Value::Float32(value) => json!({ "$real": non_finite(f64::from(*value)) }),
        Value::Float64(value) => json!({ "$real": non_finite(*value) }),
        Value::Bytes(bytes) if ty == Some(Type::Bytes) => Json::String(hex(bytes)),
        Value::Bytes(bytes) => json!({ "$blob": STANDARD.encode(bytes) }),
        Value::InvalidText(bytes) => json!({ "$text": STANDARD.encode(bytes) }),
        other => Json::String(text(other)),
    }
}

/// The text PostgreSQL prints for a value.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) | Value::Other(text) => text.clone(),
        Value::Float32(value) => {
            if value.is_finite() {
                format!("{value:?}")
            } else {
                non_finite(f64::from(*value)).into()
            }
        }
        Value::Float64(value) => {
            if value.is_finite() {
                format!("{value:?}")
            } else {
                non_finite(*value).into()
            }
        }
        Value::InvalidText(bytes) | Value::Bytes(bytes) => hex(bytes),
        Value::Moment(moment) => time::moment(*moment, "+00"),
        Value::LocalTime(moment) => time::moment(*moment, ""),
        Value::Date(days) => time::date(*days),
        Value::Interval { months, days, micros } => time::interval(*months, *days, *micros),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Vector(elements) => vector(elements),
        Value::Array(elements) => array(elements),
    }
}

fn vector(elements: &[f32]) -> String {
    let mut out = String::with_capacity(elements.len() * 12 + 2);
    out.push('[');
    for (i, element) in elements.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(out, "{comma}{element:?}");
    }
    out.push(']');
    out
}

/// A one-dimensional array literal; every element that is not NULL is quoted, which every type reads back.
fn array(elements: &[Value]) -> String {
    let parts: Vec<String> = elements
        .iter()
        .map(|element| match element {
            Value::Null => "NULL".to_owned(),
            other => format!("\"{}\"", text(other).replace('\\', "\\\\").replace('"', "\\\"")),
        })
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 + bytes.len() * 2);
    out.push_str("\\x");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn number(text: &str) -> Option<Json> {
    serde_json::from_str::<Number>(text).ok().map(Json::Number)
}

fn float(text: &str) -> Json {
    number(text).unwrap_or_else(|| Json::String(text.to_owned()))
}

fn non_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}
