//! The bytes a source row's digest is taken over: one frame a value, in the table's order.
//!
//! What is long and read back as it was (text, JSON, vectors) is framed as it stands; everything else as its verbatim
//! form, which a row that was set aside and read back from its kept bytes has too.

use super::verbatim;
use crate::source::{Table, Type};
use crate::value::{SourceRow, Value};

/// Appends the frames of a row.
pub fn frames(table: &Table, row: &SourceRow, out: &mut Vec<u8>) {
    for (i, value) in row.values.iter().enumerate() {
        let ty = table.columns.get(i).map(|column| column.ty);
        match (value, ty) {
            (Value::Null, _) => out.push(b'0'),
            (Value::Text(text), Some(Type::Text)) => frame(out, b't', text.as_bytes()),
            (Value::Json(text), Some(Type::Json)) => frame(out, b'j', text.as_bytes()),
            (Value::Vector(elements), Some(Type::Vector)) => {
                out.push(b'v');
                length(out, elements.len());
                elements.iter().for_each(|element| out.extend_from_slice(&element.to_bits().to_be_bytes()));
            }
            (value, ty) => frame(out, b'o', verbatim(value, ty).to_string().as_bytes()),
        }
    }
}

fn frame(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u64).to_be_bytes());
}
