//! Verbatim forms back to values, typed by the column.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::time;
use crate::source::Type;
use crate::value::Value;

/// The value of a column from its verbatim form; `None` when it is not one.
pub(super) fn value(json: &Json, ty: Type, declared: &str) -> Option<Value> {
    match (json, ty) {
        (Json::Null, _) => Some(Value::Null),
        (Json::Object(_), Type::Float32) => match untyped(json)? {
            #[expect(clippy::cast_possible_truncation, reason = "only NaN and the infinities are tagged")]
            Value::Float64(value) => Some(Value::Float32(value as f32)),
            other => Some(other),
        },
        (Json::Object(_), _) | (_, Type::Dynamic) => untyped(json),
        (Json::Bool(value), _) => Some(Value::Bool(*value)),
        (Json::Number(number), ty) => scalar(&number.to_string(), ty),
        (Json::String(text), Type::Array) => match elements(text) {
            Some(items) => {
                let element = element_type(declared);
                items
                    .into_iter()
                    .map(|item| item.map_or(Some(Value::Null), |item| typed(&item, element)))
                    .collect::<Option<_>>()
                    .map(Value::Array)
            }
            // Several dimensions, or a first index other than 1: kept in the server's own words.
            None => text.starts_with(['{', '[']).then(|| Value::Other(text.clone())),
        },
        (Json::String(text), ty) => typed(text, ty),
        (Json::Array(_), _) => None,
    }
}

/// A value that no column types: a computed expression or a dynamically typed source.
pub(super) fn untyped(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.to_string() {
            text if text.contains(['.', 'e', 'E']) => Value::Float64(text.parse().ok()?),
            text => text.parse().map_or(Value::Decimal(text), Value::Int),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Object(object) => match object.iter().next()? {
            (tag, Json::String(text)) if tag == "$blob" => Value::Bytes(STANDARD.decode(text).ok()?),
            (tag, Json::String(text)) if tag == "$text" => Value::InvalidText(STANDARD.decode(text).ok()?),
            (tag, Json::String(text)) if tag == "$real" => Value::Float64(text.parse().ok()?),
            _ => return None,
        },
        Json::Array(_) => return None,
    })
}

fn scalar(text: &str, ty: Type) -> Option<Value> {
    Some(match ty {
        Type::Int => Value::Int(text.parse().ok()?),
        Type::Float32 => Value::Float32(text.parse().ok()?),
        Type::Float64 => Value::Float64(text.parse().ok()?),
        _ => Value::Decimal(text.to_owned()),
    })
}

fn typed(text: &str, ty: Type) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(matches!(text, "true" | "t")),
        Type::Int | Type::Float32 | Type::Float64 | Type::Decimal => scalar(text, ty)?,
        Type::Text | Type::Dynamic => Value::Text(text.to_owned()),
        Type::Bytes => Value::Bytes(unhex(text)?),
        Type::Json => Value::Json(text.to_owned()),
        Type::Moment => time::read_moment(text).map_or_else(|| Value::Other(text.to_owned()), Value::Moment),
        Type::LocalTime => time::read_moment(text).map_or_else(|| Value::Other(text.to_owned()), Value::LocalTime),
        Type::Date => time::read_date(text).map_or_else(|| Value::Other(text.to_owned()), Value::Date),
        Type::Interval => match time::read_interval(text) {
            Some((months, days, micros)) => Value::Interval { months, days, micros },
            None => Value::Other(text.to_owned()),
        },
        Type::Uuid => Value::Uuid(text.parse().ok()?),
        Type::Vector => Value::Vector(
            text.strip_prefix('[')?
                .strip_suffix(']')?
                .split(',')
                .filter(|part| !part.is_empty())
                .map(|part| part.parse().ok())
                .collect::<Option<_>>()?,
        ),
        Type::Array | Type::Other => Value::Other(text.to_owned()),
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok()).collect()
}

/// The elements of an array literal as [`super::write`] writes it: quoted, or a bare NULL.
fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?.chars().peekable();
    let mut found = Vec::new();
    while rest.peek().is_some() {
        if rest.next_if_eq(&'"').is_some() {
            let mut item = String::new();
            loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => item.push(rest.next()?),
                    other => item.push(other),
                }
            }
            found.push(Some(item));
        } else {
            for expected in "NULL".chars() {
                rest.next_if_eq(&expected)?;
            }
            found.push(None);
        }
        rest.next_if_eq(&',');
    }
    Some(found)
}

fn element_type(declared: &str) -> Type {
    match declared.trim_end_matches("[]").split('(').next().unwrap_or_default() {
        "boolean" => Type::Bool,
        "smallint" | "integer" | "bigint" => Type::Int,
        "numeric" => Type::Decimal,
        "real" => Type::Float32,
        "double precision" => Type::Float64,
        "bytea" => Type::Bytes,
        "json" | "jsonb" => Type::Json,
        "timestamp with time zone" => Type::Moment,
        "timestamp without time zone" => Type::LocalTime,
        "date" => Type::Date,
        "interval" => Type::Interval,
        "uuid" => Type::Uuid,
        _ => Type::Text,
    }
}
