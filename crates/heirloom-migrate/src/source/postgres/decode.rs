//! PostgreSQL's binary forms to [`Value`], bit for bit. Shares no code with the encoder of the store.
//!
//! Every function takes the bytes of one field and answers `None` when they are not what the type promises, which the
//! caller reports as a protocol error naming the column.

use heirloom_store::Moment;
use uuid::Uuid;

use super::kind::Kind;
use crate::source::verbatim::time;
use crate::value::Value;

/// Microseconds from 1970-01-01 to PostgreSQL's own epoch, 2000-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Days between the same two.
const EPOCH_DAYS: i32 = 10_957;

/// Microseconds in 400 years, after which the calendar repeats.
const CALENDAR_MICROS: i64 = 146_097 * 86_400_000_000;

/// One field that is not NULL.
pub(super) fn value(kind: &Kind, bytes: &[u8]) -> Option<Value> {
    Some(match kind {
        Kind::Bool => Value::Bool(*bytes.first()? != 0),
        Kind::Int => Value::Int(int(bytes)?),
        Kind::Float32 => Value::Float32(f32::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Float64 => Value::Float64(f64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Numeric => Value::Decimal(super::numeric::text(bytes)?),
        Kind::Text { .. } | Kind::CastText => text(bytes),
        Kind::Bytes => Value::Bytes(bytes.to_vec()),
        Kind::Json => Value::Json(utf8(bytes)?),
        Kind::Jsonb => Value::Json(utf8(bytes.strip_prefix(&[1])?)?),
        Kind::Moment => moment(bytes, Value::Moment, "+00")?,
        Kind::LocalTime => moment(bytes, Value::LocalTime, "")?,
        Kind::Date => date(bytes)?,
        Kind::Interval => interval(bytes)?,
        Kind::Uuid => Value::Uuid(Uuid::from_slice(bytes).ok()?),
        Kind::Vector => Value::Vector(vector(bytes)?),
        Kind::HalfVector => Value::Vector(half_vector(bytes)?),
        Kind::Array(element) => array(element, bytes)?,
        Kind::Other => match text(bytes) {
            Value::Text(text) => Value::Other(text),
            invalid => invalid,
        },
    })
}

fn int(bytes: &[u8]) -> Option<i64> {
    Some(match bytes.len() {
        2 => i64::from(i16::from_be_bytes(bytes.try_into().ok()?)),
        4 => i64::from(i32::from_be_bytes(bytes.try_into().ok()?)),
        _ => i64::from_be_bytes(bytes.try_into().ok()?),
    })
}

/// A server whose encoding is SQL_ASCII sends what it was given, which need not be UTF-8.
fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::InvalidText(bytes.to_vec()),
    }
}

fn utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn moment(bytes: &[u8], known: fn(Moment) -> Value, zone: &str) -> Option<Value> {
    Some(match i64::from_be_bytes(bytes.try_into().ok()?) {
        i64::MAX => known(Moment::Infinity),
        i64::MIN => known(Moment::NegativeInfinity),
        micros => match micros.checked_add(EPOCH_MICROS) {
            Some(micros) => known(Moment::Micros(micros)),
            None => Value::Other(last_years(micros, zone)?),
        },
    })
}

/// PostgreSQL counts from 2000 and so reaches 30 years further than microseconds from 1970 do. Those years are read as
/// text, by way of the same day 400 years before, which has the same calendar.
fn last_years(micros: i64, zone: &str) -> Option<String> {
    let earlier = micros.checked_sub(CALENDAR_MICROS)?.checked_add(EPOCH_MICROS)?;
    let text = time::moment(Moment::Micros(earlier), zone);
    let (year, rest) = text.split_once('-')?;
    Some(format!("{}-{rest}", year.parse::<i64>().ok()? + 400))
}

fn date(bytes: &[u8]) -> Option<Value> {
    Some(match i32::from_be_bytes(bytes.try_into().ok()?) {
        i32::MAX => Value::Other("infinity".to_owned()),
        i32::MIN => Value::Other("-infinity".to_owned()),
        days => Value::Date(days.checked_add(EPOCH_DAYS)?),
    })
}

/// PostgreSQL 17 and later know intervals of infinity; the extremes of all three parts stand for them.
fn interval(bytes: &[u8]) -> Option<Value> {
    let micros = i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let days = i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    let months = i32::from_be_bytes(bytes.get(12..)?.try_into().ok()?);
    Some(match (months, days, micros) {
        (i32::MAX, i32::MAX, i64::MAX) => Value::Other("infinity".to_owned()),
        (i32::MIN, i32::MIN, i64::MIN) => Value::Other("-infinity".to_owned()),
        _ => Value::Interval { months, days, micros },
    })
}

fn vector(bytes: &[u8]) -> Option<Vec<f32>> {
    let (width, numbers) = dimensions(bytes)?;
    let (chunks, rest) = numbers.as_chunks::<4>();
    (rest.is_empty() && chunks.len() == width).then(|| chunks.iter().map(|bits| f32::from_be_bytes(*bits)).collect())
}

fn half_vector(bytes: &[u8]) -> Option<Vec<f32>> {
    let (width, numbers) = dimensions(bytes)?;
    let (chunks, rest) = numbers.as_chunks::<2>();
    (rest.is_empty() && chunks.len() == width)
        .then(|| chunks.iter().map(|bits| half(u16::from_be_bytes(*bits))).collect())
}

/// pgvector's header: the width, and two bytes it does not use.
fn dimensions(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (width, rest) = bytes.split_first_chunk::<2>()?;
    Some((usize::from(u16::from_be_bytes(*width)), rest.get(2..)?))
}

/// IEEE half to single precision, exact.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 0x1f;
    let fraction = u32::from(bits) & 0x3ff;
    let single = match (exponent, fraction) {
        (0, 0) => sign,
        // A subnormal half is a normal single: its leading bit moves into the exponent.
        (0, _) => {
            let shift = fraction.leading_zeros() - 21;
            sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)
        }
        (0x1f, _) => sign | 0x7f80_0000 | (fraction << 13),
        _ => sign | ((exponent + 112) << 23) | (fraction << 13),
    };
    f32::from_bits(single)
}

/// A one-dimensional array. Others do not come here: the read asks for their text instead.
fn array(element: &Kind, bytes: &[u8]) -> Option<Value> {
    let dimensions = i32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    if dimensions == 0 {
        return Some(Value::Array(Vec::new()));
    }
    if dimensions != 1 {
        return None;
    }
    let length = usize::try_from(i32::from_be_bytes(bytes.get(12..16)?.try_into().ok()?)).ok()?;
    let mut rest = bytes.get(20..)?;
    let mut values = Vec::with_capacity(length.min(rest.len() / 4));
    for _ in 0..length {
        let (size, after) = rest.split_first_chunk::<4>()?;
        let Ok(size) = usize::try_from(i32::from_be_bytes(*size)) else {
            values.push(Value::Null);
            rest = after;
            continue;
        };
        values.push(value(element, after.get(..size)?)?);
        rest = &after[size..];
    }
    Some(Value::Array(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_widened_exactly() {
        for (bits, expected) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2.0_f32.powi(-24)),
            (0x03ff, 1023.0 * 2.0_f32.powi(-24)),
            (0x0400, 2.0_f32.powi(-14)),
            (0x2e66, 0.099_975_586),
        ] {
            assert_eq!(half(bits).to_bits(), expected.to_bits(), "{bits:04x}");
        }
        assert_eq!(half(0x8000).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(half(0xfc00), f32::NEG_INFINITY);
    }

    #[test]
    fn bytes_that_are_not_what_the_type_promises_are_refused() {
        for kind in [Kind::Int, Kind::Float32, Kind::Uuid, Kind::Vector, Kind::Interval, Kind::Numeric, Kind::Jsonb] {
            assert_eq!(value(&kind, &[9, 2, 3]), None, "{kind:?}");
        }
        assert_eq!(value(&Kind::Array(Box::new(Kind::Int)), &[0, 0, 0, 1, 0, 0]), None);
    }
}
