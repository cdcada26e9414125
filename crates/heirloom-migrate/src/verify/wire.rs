//! What PostgreSQL sends, to canonical bytes: this room's own decoder and framing.
//!
//! Written against the wire format of PostgreSQL and pgvector and the header of [`crate::canon`], and sharing no code
//! with the encoder that `apply` writes with nor with `canon`'s value encoders: a mistake there shows as a difference
//! here.

use postgres_types::{FromSql, Type};

use super::json;

/// A value as it came over the wire, in PostgreSQL's binary format.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Microseconds between 1970-01-01 and 2000-01-01, PostgreSQL's epoch.
const EPOCH: i64 = 946_684_800_000_000;

/// Appends the frame of a column: its number, whether it is there, length, canonical bytes. `None` when the bytes are not
/// what the type sends.
pub(super) fn frame(out: &mut Vec<u8>, number: u8, ty: &Type, raw: Option<&[u8]>) -> Option<()> {
    let Some(raw) = raw else { return enclosed(out, number, None) };
    let mut whole = |body: &[u8]| enclosed(out, number, Some(body));
    match ty.name() {
        "text" | "varchar" | "name" => whole(raw),
        "bool" => whole(&[*raw.first()?]),
        "int2" => whole(&i64::from(i16::from_be_bytes(raw.try_into().ok()?)).to_be_bytes()),
        "int4" => whole(&i64::from(i32::from_be_bytes(raw.try_into().ok()?)).to_be_bytes()),
        "timestamptz" => whole(&moment(raw.try_into().ok()?)),
        "float4" => whole(&float(raw.try_into().ok()?)),
        "jsonb" => whole(&json::canonical(raw.strip_prefix(&[1])?)),
        "vector" => {
            whole(elements(raw)?.as_flattened())?;
            let start = out.len() - (raw.len() - 4);
            let (numbers, _) = out[start..].as_chunks_mut::<4>();
            numbers.iter_mut().for_each(|number| *number = float(*number));
            Some(())
        }
        _ => None,
    }
}

/// A frame around canonical bytes; `None` where they are longer than a frame can say.
pub(crate) fn enclose(number: u8, body: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut frame = Vec::with_capacity(body.map_or(0, <[u8]>::len) + 6);
    enclosed(&mut frame, number, body)?;
    Some(frame)
}

fn enclosed(out: &mut Vec<u8>, number: u8, body: Option<&[u8]>) -> Option<()> {
    out.push(number);
    let Some(body) = body else {
        out.push(0);
        return Some(());
    };
    out.push(1);
    out.extend_from_slice(&u32::try_from(body.len()).ok()?.to_be_bytes());
    out.extend_from_slice(body);
    Some(())
}

/// The canonical bytes in a frame; `None` where it holds none.
pub(super) fn body(frame: &[u8]) -> Option<&[u8]> {
    frame.get(6..).filter(|_| frame.get(1) == Some(&1))
}

fn moment(raw: [u8; 8]) -> Vec<u8> {
    match i64::from_be_bytes(raw) {
        i64::MAX => b"+".to_vec(),
        i64::MIN => b"-".to_vec(),
        since_2000 => match since_2000.checked_add(EPOCH) {
            Some(since_1970) => since_1970.to_be_bytes().to_vec(),
            // The years 294247 to 294276, which no memory can say: it equals nothing, and has a place.
            None => [b"?", raw.as_slice()].concat(),
        },
    }
}

fn float(raw: [u8; 4]) -> [u8; 4] {
    // −0 equals 0 everywhere a reader looks.
    if raw == [0x80, 0, 0, 0] { [0; 4] } else { raw }
}

/// `int16 dimensions, int16 unused, float4…`
fn elements(raw: &[u8]) -> Option<&[[u8; 4]]> {
    let (head, elements) = raw.split_at_checked(4)?;
    let dimensions = usize::from(u16::from_be_bytes([head[0], head[1]]));
    let (elements, rest) = elements.as_chunks::<4>();
    (elements.len() == dimensions && rest.is_empty()).then_some(elements)
}
