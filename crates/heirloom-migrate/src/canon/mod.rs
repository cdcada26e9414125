//! The canonical bytes of a memory: what "the same row" means.
//!
//! One frame a field, in the order of [`FIELDS`]: tag (1 byte, the field's number), presence (0 absent, 1 present),
//! then for present values the length (u32, big-endian) and the bytes. Rules a type, after moving-rows 3.4:
//!
//! - text: its UTF-8 bytes, never normalised
//! - moment: 8 bytes, microseconds since 1970 as big-endian i64; infinities are one byte `-` or `+`
//! - smallint, integer: 8 bytes, big-endian i64; boolean: one byte, 0 or 1
//! - real: IEEE bits big-endian, −0 folded to 0
//! - vector: its reals as above, one after the other, padded with zeros to the store's dimension
//! - jsonb: one byte a kind, then what it holds; JSON null at the top is a value, apart from SQL NULL
//!   - `n` null, `t` true, `f` false
//!   - `d` number: length (u32) and the number in its shortest exact form: `-` if negative, digits without leading or
//!     trailing zeros, `e`, the power of ten they are multiplied with; zero is `0e0`. So 1.0 = 1.00 = 1e0, and 1e400
//!     is exact without being 401 digits long
//!   - `s` string: length (u32) and its UTF-8 bytes
//!   - `a` array: count (u32) and its items
//!   - `o` object: count (u32) and its members sorted by the bytes of their keys, each key as length (u32) and bytes;
//!     of members with the same key only the last counts
//!
//! The id is not framed: it is what rows are matched by. Nor is what the store fills in by itself (`lesson_id`,
//! generated columns, outcome counters).
//!
//! `verify` reads the target with code of its own (`verify::target`) that produces the same bytes from what PostgreSQL
//! sends; it does not import this module's encoder of values, only [`FIELDS`].

mod json;

use heirloom_store::{Memory, Moment};

use crate::frames::Frames;

/// The compared fields of a memory, in frame order. The number of a field is its index.
pub const FIELDS: [&str; 30] = [
    "namespace",
    "project_id",
    "kind",
    "source",
    "role",
    "topic",
    "content",
    "importance",
    "state",
    "state_changed_at",
    "commit_sha",
    "artifact_hash",
    "verified_at",
    "source_run_id",
    "source_task_id",
    "pin",
    "propagation",
    "metadata",
    "embedding",
    "embedding_model",
    "expires_at",
    "valid_from",
    "valid_to",
    "created_at",
    "updated_at",
    "confidence",
    "is_active",
    "content_type",
    "item_kind",
    "source_dag_id",
];

/// The canonical bytes of a whole memory: every frame, in order.
///
/// `dimension` is the store's embedding width; a narrower embedding counts as padded with zeros.
pub fn memory(memory: &Memory, dimension: usize) -> Vec<u8> {
    frames(memory, dimension).into_bytes()
}

/// The frame of one field, `tag` being its place in [`FIELDS`]; empty for a number that is no field.
///
/// The frames of all fields one after the other are [`memory()`]'s bytes.
pub fn field(memory: &Memory, tag: usize, dimension: usize) -> Vec<u8> {
    let mut out = Vec::new();
    write_field(&mut out, memory, tag, dimension);
    out
}

/// Every frame, in order: [`memory()`]'s bytes, cut into fields.
pub(crate) fn frames(memory: &Memory, dimension: usize) -> Frames {
    let room = 256 + memory.content.len() + memory.embedding.as_ref().map_or(0, |_| dimension * 4);
    let mut frames = Frames::with_capacity(FIELDS.len(), room);
    for tag in 0..FIELDS.len() {
        frames.add(|out| write_field(out, memory, tag, dimension));
    }
    frames
}

fn write_field(out: &mut Vec<u8>, memory: &Memory, tag: usize, dimension: usize) {
    let Some(name) = FIELDS.get(tag) else { return };
    let mut frame = Frame { out, tag: u8::try_from(tag).unwrap_or(u8::MAX) };
    match *name {
        "namespace" => frame.text(Some(&memory.namespace)),
        "project_id" => frame.integer(memory.project_id.map(i64::from)),
        "kind" => frame.text(Some(&memory.kind)),
        "source" => frame.text(Some(&memory.source)),
        "role" => frame.text(memory.role.as_deref()),
        "topic" => frame.text(memory.topic.as_deref()),
        "content" => frame.text(Some(&memory.content)),
        "importance" => frame.integer(Some(i64::from(memory.importance))),
        "state" => frame.text(Some(&memory.state)),
        "state_changed_at" => frame.moment(memory.state_changed_at),
        "commit_sha" => frame.text(memory.commit_sha.as_deref()),
        "artifact_hash" => frame.text(memory.artifact_hash.as_deref()),
        "verified_at" => frame.moment(memory.verified_at),
        "source_run_id" => frame.text(memory.source_run_id.as_deref()),
        "source_task_id" => frame.text(memory.source_task_id.as_deref()),
        "pin" => frame.boolean(memory.pin),
        "propagation" => frame.json(memory.propagation.as_ref()),
        "metadata" => frame.json(memory.metadata.as_ref()),
        "embedding" => frame.vector(memory.embedding.as_deref(), dimension),
        "embedding_model" => frame.text(memory.embedding_model.as_deref()),
        "expires_at" => frame.moment(memory.expires_at),
        "valid_from" => frame.moment(memory.valid_from),
        "valid_to" => frame.moment(memory.valid_to),
        "created_at" => frame.moment(memory.created_at),
        "updated_at" => frame.moment(memory.updated_at),
        "confidence" => frame.real(memory.confidence),
        "is_active" => frame.boolean(memory.is_active),
        "content_type" => frame.text(memory.content_type.as_deref()),
        "item_kind" => frame.text(Some(&memory.item_kind)),
        "source_dag_id" => frame.text(memory.source_dag_id.as_deref()),
        _ => {}
    }
}

/// Where one field's frame goes.
struct Frame<'a> {
    out: &'a mut Vec<u8>,
    tag: u8,
}

impl Frame<'_> {
    fn bytes(&mut self, value: Option<&[u8]>) {
        self.out.push(self.tag);
        match value {
            None => self.out.push(0),
            Some(bytes) => {
                self.out.push(1);
                length(self.out, bytes.len());
                self.out.extend_from_slice(bytes);
            }
        }
    }

    fn text(&mut self, value: Option<&str>) {
        self.bytes(value.map(str::as_bytes));
    }

    fn integer(&mut self, value: Option<i64>) {
        self.bytes(value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    fn boolean(&mut self, value: bool) {
        self.bytes(Some(&[u8::from(value)]));
    }

    fn moment(&mut self, value: Option<Moment>) {
        match value {
            None => self.bytes(None),
            Some(Moment::NegativeInfinity) => self.bytes(Some(b"-")),
            Some(Moment::Infinity) => self.bytes(Some(b"+")),
            Some(Moment::Micros(micros)) => self.integer(Some(micros)),
        }
    }

    fn real(&mut self, value: Option<f32>) {
        self.bytes(value.map(real).as_ref().map(<[u8; 4]>::as_slice));
    }

    fn vector(&mut self, value: Option<&[f32]>, dimension: usize) {
        self.out.push(self.tag);
        let Some(elements) = value else { return self.out.push(0) };
        let bytes = elements.len().max(dimension) * 4;
        self.out.push(1);
        length(self.out, bytes);
        // What is narrower stays zero behind its end.
        let start = self.out.len();
        self.out.resize(start + bytes, 0);
        let (places, _) = self.out[start..].as_chunks_mut::<4>();
        places.iter_mut().zip(elements).for_each(|(place, &element)| *place = real(element));
    }

    fn json(&mut self, value: Option<&serde_json::Value>) {
        let bytes = value.map(|value| {
            let mut bytes = Vec::new();
            json::write(&mut bytes, value);
            bytes
        });
        self.bytes(bytes.as_deref());
    }
}

fn real(value: f32) -> [u8; 4] {
    // −0 equals 0 for PostgreSQL and for every reader, so the two are one value here.
    let value = if value == 0.0 { 0.0 } else { value };
    value.to_bits().to_be_bytes()
}

/// PostgreSQL holds no value of 4 GiB, so the length always fits.
fn length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests;
