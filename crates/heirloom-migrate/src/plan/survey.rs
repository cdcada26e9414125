//! One scan of the source: every row mapped once, everything a plan says counted on the way, in bounded memory.
//!
//! What grows with the source: the namespaces (one entry each), 16 bytes a row when the target has to be asked
//! which ids it knows, and the ids themselves where two keys can be one id.

use std::collections::{BTreeMap, HashMap, HashSet};

use heirloom_store::Moment;
use uuid::Uuid;

use super::chunks::Chunker;
use super::enumeration::{Collector, collectors};
use super::sample::Samples;
use super::{Counts, DimensionCount, Limits, MOST_RESPELT, NamespaceCount, RejectCount, drift};
use crate::digest::{DigestSum, Key};
use crate::file::MigrationFile;
use crate::finding::facts::{Seen, alive};
use crate::mapping::{Mapped, Note, Reject, RejectCode, vector_list};
use crate::source::{Table, TreeRows, Type};
use crate::target::{Announced, Named, Surface};
use crate::value::{SourceRow, Value};

/// What is known before the scan.
pub(crate) struct Scope<'a> {
    pub(crate) file: &'a MigrationFile,
    pub(crate) table: &'a Table,
    pub(crate) key: &'a [String],
    pub(crate) tree: Option<&'a TreeRows>,
    pub(crate) dimension: usize,
    /// What rows become in a target that is no store.
    pub(crate) surface: Option<&'a Surface>,
    pub(crate) now: jiff::Timestamp,
    pub(crate) limits: Limits,
    /// Whether ids are kept for questions to the target.
    pub(crate) keep_ids: bool,
    /// Whether keys that differ can be one id: uuids kept as text, in capitals and in small letters.
    pub(crate) spellings_differ: bool,
}

/// The accumulator of the scan.
pub(crate) struct Survey<'a> {
    scope: Scope<'a>,
    now: Moment,
    chunker: Chunker,
    collectors: Vec<Collector>,
    samples: Samples,
    rejects: BTreeMap<(RejectCode, Option<String>), RejectCount>,
    namespaces: HashMap<String, u64>,
    widths: BTreeMap<Option<usize>, BTreeMap<String, u64>>,
    width_at: Option<usize>,
    maps_embedding: bool,
    last_key: Option<Vec<String>>,
    drift_key: Key,
    buffer: Vec<u8>,
    pub(crate) counts: Counts,
    pub(crate) seen: Seen,
    pub(crate) drift: DigestSum,
    pub(crate) ids: Vec<Uuid>,
    /// Bytes of text among the accepted.
    text: u64,
    /// The ids of all rows, where spellings differ.
    met: HashSet<Uuid>,
    /// Keys whose id a row before them has, spelt otherwise.
    respelt: Vec<Vec<String>>,
    /// The accepted rows, where the target is no store.
    pub(crate) announced: Vec<Announced>,
}

impl<'a> Survey<'a> {
    /// Before the first row.
    pub(crate) fn new(scope: Scope<'a>, drift_key: Key) -> Self {
        let Scope { file, table, tree, now, limits, .. } = scope;
        let mapped = alive(file, table).find(|(field, _)| *field == "embedding");
        let from = mapped.and_then(|(_, spec)| spec.from.as_ref()).map(|from| from.value.as_str());
        let width_at = match from {
            Some(name) => table.columns.iter().position(|column| column.name == name),
            None => table.columns.iter().position(|column| column.ty == Type::Vector),
        };
        Self {
            now: Moment::from_timestamp(now),
            chunker: Chunker::new(limits.chunk_bytes, limits.chunk_rows),
            collectors: collectors(file, table),
            samples: Samples::default(),
            rejects: BTreeMap::new(),
            namespaces: HashMap::new(),
            widths: BTreeMap::new(),
            width_at,
            maps_embedding: from.is_some(),
            last_key: None,
            drift_key,
            buffer: Vec::new(),
            counts: Counts::default(),
            seen: Seen::new(file, table, tree, now),
            drift: DigestSum::default(),
            ids: Vec::new(),
            text: 0,
            met: HashSet::new(),
            respelt: Vec::new(),
            announced: Vec::new(),
            scope,
        }
    }

    /// Takes in one row, its id, and what the program made of it. Rows come in key order.
    pub(crate) fn observe(&mut self, row: &SourceRow, id: Uuid, bytes: usize, result: Result<Mapped, Reject>) {
        let is_repeated = self.last_key.as_ref() == Some(&row.key);
        let is_respelt = !is_repeated && self.scope.spellings_differ && !self.met.insert(id);
        if is_respelt && self.respelt.len() <= MOST_RESPELT {
            self.respelt.push(row.key.clone());
        }
        let result = match (is_repeated, is_respelt) {
            (true, _) => Err(self.duplicate()),
            (_, true) => Err(respelt()),
            _ => result,
        };
        self.counts.rows += 1;
        self.counts.bytes += bytes as u64;
        self.chunker.add(&row.key, bytes as u64);
        drift::add(&mut self.drift, &self.drift_key, row, &mut self.buffer);
        self.seen.observe(row, &result);
        self.collectors.iter_mut().for_each(|collector| collector.observe(row, &result));
        self.samples.observe(self.scope.table, row, &result);
        self.width(row, &result);
        match result {
            Ok(mapped) => self.accept(&row.key, mapped),
            Err(reject) => self.reject(row, reject),
        }
        self.last_key = Some(row.key.clone());
    }

    fn duplicate(&self) -> Reject {
        Reject {
            code: RejectCode::DuplicateKey,
            field: None,
            column: self.scope.key.first().cloned(),
            message: format!("Another row has the same key ({}); keys are unique", self.scope.key.join(", ")),
        }
    }

    fn accept(&mut self, key: &[String], mapped: Mapped) {
        let Mapped { memory, notes, .. } = mapped;
        self.counts.accepted += 1;
        self.text += memory.content.len() as u64;
        self.counts.expired += u64::from(memory.expires_at.is_some_and(|at| at <= self.now));
        self.counts.ghosts += u64::from(notes.contains(&Note::Ghost));
        if let Some(surface) = self.scope.surface {
            let named = surface.named(&memory);
            let named = named.map(|(name, project)| Box::new(Named { name, project, key: key.to_vec() }));
            self.announced.push(Announced { id: memory.id, closing: surface.closing(&memory), named });
        }
        if self.scope.keep_ids {
            self.ids.push(memory.id);
        }
        *self.namespaces.entry(memory.namespace).or_default() += 1;
    }

    fn reject(&mut self, row: &SourceRow, reject: Reject) {
        self.counts.rejected += 1;
        let Reject { code, field, message, .. } = reject;
        let entry = self.rejects.entry((code, field.clone())).or_insert_with(|| RejectCount {
            code,
            field,
            count: 0,
            example_key: row.key.clone(),
            message,
        });
        entry.count += 1;
    }

    fn width(&mut self, row: &SourceRow, result: &Result<Mapped, Reject>) {
        let Some(value) = self.width_at.and_then(|at| row.values.get(at)) else { return };
        let width = width_of(value);
        let becomes = match (width, result) {
            (None, _) if value.is_null() => "no embedding".to_owned(),
            _ if !self.maps_embedding => "not mapped".to_owned(),
            (_, Err(reject)) if reject.field.as_deref() == Some("embedding") => "rejected".to_owned(),
            (_, Err(_)) => "set aside with its row".to_owned(),
            (_, Ok(mapped)) => match &mapped.memory.embedding {
                Some(kept) if Some(kept.len()) != width => {
                    format!("cut to {}, the rest was zero{}", kept.len(), read_from(value))
                }
                Some(kept) if kept.len() < self.scope.dimension => {
                    format!("padded with zeros to {}{}", self.scope.dimension, read_from(value))
                }
                Some(_) => format!("kept{}", read_from(value)),
                None => "left in the origin; the text needs an embedding".to_owned(),
            },
        };
        *self.widths.entry(width).or_default().entry(becomes).or_default() += 1;
    }

    /// The parts of the plan.
    pub(crate) fn finish(mut self) -> Surveyed {
        let mut rejects: Vec<RejectCount> = self.rejects.into_values().collect();
        rejects.sort_by_key(|reject| std::cmp::Reverse(reject.count));
        let mut namespaces: Vec<NamespaceCount> =
            self.namespaces.into_iter().map(|(namespace, rows)| NamespaceCount { namespace, rows }).collect();
        namespaces.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.namespace.cmp(&b.namespace)));
        let mut dimensions: Vec<DimensionCount> = self
            .widths
            .into_iter()
            .flat_map(|(dimensions, ends)| {
                ends.into_iter().map(move |(becomes, rows)| DimensionCount { dimensions, rows, becomes })
            })
            .collect();
        dimensions.sort_by_key(|count| std::cmp::Reverse(count.rows));
        Surveyed {
            limits: self.scope.limits,
            counts: self.counts,
            seen: self.seen,
            drift: self.drift,
            drift_key: self.drift_key,
            rejects,
            namespaces,
            dimensions,
            text: self.text,
            respelt: {
                self.respelt.sort_unstable();
                self.respelt
            },
            chunks: self.chunker.finish(),
            samples: self.samples.finish(),
            enumerations: self.collectors.into_iter().map(Collector::finish).collect(),
        }
    }
}

/// What a scan has found.
pub(crate) struct Surveyed {
    pub(crate) limits: Limits,
    pub(crate) counts: Counts,
    pub(crate) seen: Seen,
    pub(crate) drift: DigestSum,
    pub(crate) drift_key: Key,
    pub(crate) rejects: Vec<RejectCount>,
    pub(crate) namespaces: Vec<NamespaceCount>,
    pub(crate) dimensions: Vec<DimensionCount>,
    /// Bytes of text that will be ranked.
    pub(crate) text: u64,
    pub(crate) respelt: Vec<Vec<String>>,
    pub(crate) chunks: Vec<super::PlannedChunk>,
    pub(crate) samples: Vec<super::Sample>,
    pub(crate) enumerations: Vec<super::Enumeration>,
}

fn respelt() -> Reject {
    Reject {
        code: RejectCode::DuplicateKey,
        field: Some("id".to_owned()),
        column: None,
        message: "The id of a row before it, spelt otherwise; ids are unique".to_owned(),
    }
}

/// How wide a vector is, in whatever form the source holds it.
fn width_of(value: &Value) -> Option<usize> {
    match value {
        Value::Vector(floats) => Some(floats.len()),
        Value::Array(items) => Some(items.len()),
        Value::Bytes(bytes) => Some(bytes.len() / 4),
        Value::Text(text) | Value::Json(text) | Value::Other(text) => {
            let list = vector_list(text)?;
            Some(if list.is_empty() { 0 } else { list.split(',').count() })
        }
        _ => None,
    }
}

/// Which conversion made the vector, when one did.
fn read_from(value: &Value) -> &'static str {
    match value {
        Value::Text(_) | Value::Json(_) | Value::Other(_) => ", read from text",
        Value::Bytes(_) => ", read from bytes",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_has_a_width_in_every_form() {
        for (value, width) in [
            (Value::Vector(vec![0.0; 3]), Some(3)),
            (Value::Array(vec![Value::Float64(1.0); 2]), Some(2)),
            (Value::Bytes(vec![0; 16]), Some(4)),
            (Value::Json("[1, 2, 3]".into()), Some(3)),
            (Value::Text("[]".into()), Some(0)),
            (Value::Text(" {1,2} ".into()), Some(2)),
            (Value::Text("prose".into()), None),
            (Value::Null, None),
        ] {
            assert_eq!(width_of(&value), width);
        }
    }
}
