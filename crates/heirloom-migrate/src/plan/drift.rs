//! The digest of the source as read: a frame a row, summed under a key of the plan's own.
//!
//! `verify` sums the same frames again to say whether the source still is what was planned. Framed by type and length
//! (`ab`+`c` is not `a`+`bc`, NULL is not empty); floats by their bits, so that nothing is folded here.

use super::Plan;
use crate::digest::{DigestSum, Key};
use crate::error::{MigrateError, Result};
use crate::value::{SourceRow, Value};

/// Adds one row to a sum. `buffer` is scratch space, kept between calls.
pub fn add(sum: &mut DigestSum, key: &Key, row: &SourceRow, buffer: &mut Vec<u8>) {
    buffer.clear();
    for part in &row.key {
        frame(buffer, b'k', part.as_bytes());
    }
    for value in &row.values {
        put(buffer, value);
    }
    sum.add(key.digest(buffer));
}

fn frame(buffer: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    buffer.push(tag);
    buffer.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    buffer.extend_from_slice(bytes);
}

fn put(buffer: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => buffer.push(b'0'),
        Value::Bool(flag) => frame(buffer, b'b', &[u8::from(*flag)]),
        Value::Int(number) => frame(buffer, b'i', &number.to_be_bytes()),
        Value::Decimal(text) => frame(buffer, b'n', text.as_bytes()),
        Value::Float32(number) => frame(buffer, b'f', &number.to_bits().to_be_bytes()),
        Value::Float64(number) => frame(buffer, b'd', &number.to_bits().to_be_bytes()),
        Value::Text(text) => frame(buffer, b't', text.as_bytes()),
        Value::InvalidText(bytes) => frame(buffer, b'T', bytes),
        Value::Bytes(bytes) => frame(buffer, b'x', bytes),
        Value::Json(text) => frame(buffer, b'j', text.as_bytes()),
        Value::Moment(moment) => frame(buffer, b'm', &moment_bytes(*moment)),
        Value::LocalTime(moment) => frame(buffer, b'l', &moment_bytes(*moment)),
        Value::Date(days) => frame(buffer, b'D', &days.to_be_bytes()),
        Value::Interval { months, days, micros } => {
            buffer.push(b'I');
            buffer.extend_from_slice(&months.to_be_bytes());
            buffer.extend_from_slice(&days.to_be_bytes());
            buffer.extend_from_slice(&micros.to_be_bytes());
        }
        Value::Uuid(uuid) => frame(buffer, b'u', uuid.as_bytes()),
        Value::Vector(floats) => {
            buffer.push(b'v');
            buffer.extend_from_slice(&(floats.len() as u64).to_be_bytes());
            floats.iter().for_each(|float| buffer.extend_from_slice(&float.to_bits().to_be_bytes()));
        }
        Value::Array(items) => {
            buffer.push(b'a');
            buffer.extend_from_slice(&(items.len() as u64).to_be_bytes());
            items.iter().for_each(|item| put(buffer, item));
        }
        Value::Other(text) => frame(buffer, b'o', text.as_bytes()),
    }
}

fn moment_bytes(moment: heirloom_store::Moment) -> [u8; 9] {
    let (tag, micros) = match moment {
        heirloom_store::Moment::NegativeInfinity => (b'-', 0),
        heirloom_store::Moment::Micros(micros) => (b'=', micros),
        heirloom_store::Moment::Infinity => (b'+', 0),
    };
    let mut bytes = [tag; 9];
    bytes[1..].copy_from_slice(&micros.to_be_bytes());
    bytes
}

impl Plan {
    /// The key of [`Plan::drift`].
    ///
    /// # Errors
    /// [`MigrateError::Plan`] when it is not 64 hex digits.
    pub fn drift_key(&self) -> Result<Key> {
        Key::from_hex(&self.drift_key).ok_or_else(|| MigrateError::Plan {
            plan: self.name.clone(),
            what: "its drift key is not 64 hex digits".to_owned(),
            cure: format!("run plan {} again", self.file.path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: Vec<Value>) -> u128 {
        let key = Key::of_store(uuid::Uuid::nil());
        let mut sum = DigestSum::default();
        add(&mut sum, &key, &SourceRow { key: vec!["1".into()], values }, &mut Vec::new());
        sum.sum
    }

    #[test]
    fn framing_keeps_neighbours_and_kinds_apart() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_ne!(sum(vec![text("ab"), text("c")]), sum(vec![text("a"), text("bc")]));
        assert_ne!(sum(vec![Value::Null]), sum(vec![text("")]));
        assert_ne!(sum(vec![Value::Json("null".into())]), sum(vec![text("null")]));
        assert_ne!(sum(vec![Value::Array(vec![Value::Null])]), sum(vec![Value::Null]));
        assert_eq!(sum(vec![text("a")]), sum(vec![text("a")]));
    }
}
