//! What the checks look at: the file, both sides, and what one scan counted in bounded memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use heirloom_store::{Memory, Moment};
use jiff::Timestamp;

use super::gone::Gone;
use super::words::{self, is_name};
use crate::file::{FieldSpec, MigrationFile};
use crate::mapping::{Mapped, Note, Reject, RejectCode, redaction};
use crate::plan::{ColumnFate, Counts, DimensionCount, Enumeration, Fate, RejectCount, Target};
use crate::source::{Identity, Table, TreeRows, Type};
use crate::target::Predicted;
use crate::value::{SourceRow, Value};

/// Most digests a repeat counter keeps; 9 bytes each.
const MOST_DIGESTS: usize = 500_000;

/// Most distinct values kept of a column that no rule of the file turns into an enumeration.
const MOST_VALUES: usize = 64;

/// Longest value, in bytes, that counts as one of a few: anything longer is prose.
const LONGEST_VALUE: usize = 64;

/// Most keys of rows that are named for one finding.
const MOST_KEYS: usize = 3;

/// Rows younger than this show that somebody still writes.
const RECENT_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Values above this size are worth a word: PostgreSQL's lexical vector ends at 1,048,575 bytes.
pub(crate) const LARGE: usize = 1_048_575;

/// Everything a check may look at.
pub(crate) struct Facts<'a> {
    pub(crate) file: &'a MigrationFile,
    pub(crate) table: &'a Table,
    pub(crate) key: &'a [String],
    pub(crate) source: &'a Identity,
    pub(crate) target: &'a Target,
    pub(crate) same_database: bool,
    pub(crate) enumerations: &'a [Enumeration],
    pub(crate) rejects: &'a [RejectCount],
    pub(crate) counts: Counts,
    pub(crate) dimensions: &'a [DimensionCount],
    pub(crate) seen: &'a Seen,
    pub(crate) fates: &'a [ColumnFate],
    /// What a target that is no store would do to the rows.
    pub(crate) predicted: Option<&'a Predicted>,
}

impl Facts<'_> {
    /// The specs of a memory field whose column is there, in the order in which they are tried.
    pub(crate) fn specs(&self, field: &str) -> impl Iterator<Item = &FieldSpec> {
        alive(self.file, self.table).filter(move |(name, _)| *name == field).map(|(_, spec)| spec)
    }

    /// Whether anything is mapped to a field.
    pub(crate) fn is_mapped(&self, field: &str) -> bool {
        self.specs(field).next().is_some()
    }

    /// The columns a field is read from.
    pub(crate) fn from(&self, field: &str) -> impl Iterator<Item = &str> {
        self.specs(field).filter_map(|spec| spec.from.as_ref()).map(|from| from.value.as_str())
    }

    fn fate(&self, column: &str) -> Option<&ColumnFate> {
        self.fates.iter().find(|fate| fate.column == column)
    }

    /// Whether a column is used for anything.
    pub(crate) fn is_used(&self, column: &str) -> bool {
        self.fate(column).is_some_and(|fate| fate.fate == Fate::Mapped)
    }

    /// Whether a column feeds a field (or `namespace`).
    pub(crate) fn feeds(&self, column: &str, field: &str) -> bool {
        self.fate(column).is_some_and(|fate| fate.fate == Fate::Mapped && fate.to.iter().any(|name| name == field))
    }

    /// Whether the file leaves a column behind with a reason.
    pub(crate) fn is_dropped(&self, column: &str) -> bool {
        self.file.drop.iter().any(|(name, _)| name.value == column)
    }

    /// The table's columns with what the scan saw of each.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&crate::source::Column, &ColumnSeen)> {
        self.table.columns.iter().zip(&self.seen.columns)
    }

    /// Columns whose name is in a list.
    pub(crate) fn named(
        &self,
        list: &'static [&'static str],
    ) -> impl Iterator<Item = (&crate::source::Column, &ColumnSeen)> {
        self.columns().filter(move |(column, _)| is_name(&column.name, list))
    }

    /// Predicted rejects of one reason.
    pub(crate) fn rejected(&self, code: RejectCode) -> u64 {
        self.rejects.iter().filter(|reject| reject.code == code).map(|reject| reject.count).sum()
    }

    /// Rows with a note.
    pub(crate) fn noted(&self, note: Note) -> u64 {
        self.seen.notes.get(&note).copied().unwrap_or(0)
    }
}

/// The entries of `[map]` whose column is there: a preset's optional columns need not be.
pub(crate) fn alive<'a>(file: &'a MigrationFile, table: &'a Table) -> impl Iterator<Item = (&'a str, &'a FieldSpec)> {
    let is_there = |name: &str| table.columns.iter().any(|column| column.name == name);
    file.map
        .iter()
        .filter(move |(_, spec)| spec.from.as_ref().is_none_or(|from| is_there(&from.value)))
        .map(|(name, spec)| (name.value.as_str(), spec))
}

/// What the scan saw of one column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnSeen {
    pub(crate) nulls: u64,
    pub(crate) present: u64,
    pub(crate) json_null: u64,
    pub(crate) json_twice: u64,
    pub(crate) nul: u64,
    pub(crate) invalid_utf8: u64,
    pub(crate) large: u64,
    pub(crate) largest: usize,
    pub(crate) infinite: u64,
    pub(crate) odd_wall_clock: u64,
    pub(crate) below_micros: u64,
    pub(crate) floats: u64,
    /// The few distinct values of a short column; empty when there are many.
    pub(crate) values: BTreeMap<String, u64>,
    too_many: bool,
}

/// Counts rows that say what an earlier row said, by digest; stops learning new ones when its memory is full.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    hasher: RandomState,
    seen: HashSet<u64>,
    pub(crate) repeated: u64,
    pub(crate) full: bool,
}

impl Repeats {
    fn add<T: std::hash::Hash>(&mut self, value: T) {
        let digest = self.hasher.hash_one(value);
        if self.seen.contains(&digest) {
            self.repeated += 1;
        } else if self.seen.len() < MOST_DIGESTS {
            self.seen.insert(digest);
        } else {
            self.full = true;
        }
    }
}

/// How each column is looked at, settled before the scan.
#[derive(Debug, Clone, Default)]
struct Look {
    zone: Option<jiff::tz::TimeZone>,
    nanos: bool,
    json: bool,
    is_time_of_writing: bool,
}

/// The accumulator: fed with every row of the scan.
#[derive(Debug)]
pub(crate) struct Seen {
    looks: Vec<Look>,
    now: i64,
    middle_nodes: HashSet<String>,
    pub(crate) roots: usize,
    node_at: Option<usize>,
    pub(crate) columns: Vec<ColumnSeen>,
    pub(crate) notes: BTreeMap<Note, u64>,
    /// Whether anybody wants to know of credentials.
    looks_for_secrets: bool,
    pub(crate) secrets: BTreeMap<String, u64>,
    pub(crate) rows_with_secret: u64,
    pub(crate) secret_keys: Vec<String>,
    pub(crate) contents: Repeats,
    pub(crate) closings: Repeats,
    pub(crate) verified_without_commit: u64,
    pub(crate) run_id_overflow: u64,
    pub(crate) recent: u64,
    pub(crate) expiring: u64,
    pub(crate) without_start: u64,
    pub(crate) team_of_middle: u64,
    pub(crate) org_rows: u64,
    pub(crate) updated_equals_created: u64,
    pub(crate) gone: Gone,
    /// How many rows bring a vector of each width, by namespace and model.
    pub(crate) widths: BTreeMap<(String, String), BTreeMap<usize, u64>>,
    ttl: Option<(usize, Option<usize>)>,
}

impl Seen {
    /// An empty accumulator for a table read under a file. `now` only tells how young a row is and what has expired.
    pub(crate) fn new(file: &MigrationFile, table: &Table, tree: Option<&TreeRows>, now: Timestamp) -> Self {
        let at = |name: &str| table.columns.iter().position(|column| column.name == name);
        let mut looks = vec![Look::default(); table.columns.len()];
        for (look, column) in looks.iter_mut().zip(&table.columns) {
            look.json = column.ty == Type::Json && column.declared == "json" || column.ty == Type::Dynamic;
            look.is_time_of_writing = is_name(&column.name, words::CREATED) || is_name(&column.name, words::UPDATED);
        }
        for (_, spec) in &file.map {
            let Some(look) = spec.from.as_ref().and_then(|from| at(&from.value)).and_then(|at| looks.get_mut(at))
            else {
                continue;
            };
            if let Some(zone) = &spec.zone {
                look.zone = jiff::tz::TimeZone::get(&zone.value).ok();
            }
            look.nanos |= spec.epoch.as_ref().is_some_and(|epoch| epoch.value == crate::file::Epoch::Nanos);
        }
        let mut parents: HashMap<&str, Option<&str>> = HashMap::new();
        let mut has_children: HashSet<&str> = HashSet::new();
        for (id, parent) in tree.into_iter().flatten() {
            parents.insert(id, parent.as_deref());
            has_children.extend(parent.as_deref());
        }
        let middle_nodes = parents
            .iter()
            .filter(|(id, parent)| parent.is_some() && has_children.contains(**id))
            .map(|(id, _)| (*id).to_owned())
            .collect();
        let ttl = alive(file, table)
            .find(|(field, spec)| {
                *field == "expires_at" && spec.ttl.as_ref().is_some_and(|ttl| ttl.value != crate::file::Ttl::Absolute)
            })
            .and_then(|(_, spec)| {
                let from = at(&spec.from.as_ref()?.value)?;
                Some((from, spec.since.as_ref().and_then(|since| at(&since.value))))
            });
        Self {
            looks,
            now: now.as_microsecond(),
            middle_nodes,
            roots: parents.values().filter(|parent| parent.is_none()).count(),
            node_at: file.source.tree.as_ref().and_then(|tree| at(&tree.of.value)),
            columns: vec![ColumnSeen::default(); table.columns.len()],
            notes: BTreeMap::new(),
            looks_for_secrets: file.redact != crate::file::Redact::Off,
            secrets: BTreeMap::new(),
            rows_with_secret: 0,
            secret_keys: Vec::new(),
            contents: Repeats::default(),
            closings: Repeats::default(),
            verified_without_commit: 0,
            run_id_overflow: 0,
            recent: 0,
            expiring: 0,
            without_start: 0,
            team_of_middle: 0,
            org_rows: 0,
            updated_equals_created: 0,
            gone: Gone::new(file, table, now.as_microsecond()),
            widths: BTreeMap::new(),
            ttl,
        }
    }

    /// Rows in which a column is null, in the table's order.
    pub(crate) fn nulls(&self) -> Vec<u64> {
        self.columns.iter().map(|column| column.nulls).collect()
    }

    /// Takes in one row and what became of it.
    pub(crate) fn observe(&mut self, row: &SourceRow, result: &Result<Mapped, Reject>) {
        let mut secret = false;
        let mut recent = false;
        for ((value, column), look) in row.values.iter().zip(&mut self.columns).zip(&self.looks) {
            column.observe(value, look);
            if self.looks_for_secrets {
                for label in redaction::labels(value) {
                    secret = true;
                    *self.secrets.entry(label).or_default() += 1;
                }
            }
            if let (true, Value::Moment(Moment::Micros(micros))) = (look.is_time_of_writing, value) {
                recent |= self.now.saturating_sub(*micros) < RECENT_MICROS;
            }
        }
        if secret {
            self.rows_with_secret += 1;
            if self.secret_keys.len() < MOST_KEYS {
                self.secret_keys.push(crate::plan::shown::cut(&row.key.join("/")));
            }
        }
        self.recent += u64::from(recent);
        if let Some((from, since)) = self.ttl {
            let is_null = |at: usize| row.values.get(at).is_none_or(Value::is_null);
            self.without_start += u64::from(!is_null(from) && since.is_none_or(is_null));
        }
        if let Ok(mapped) = result {
            self.accept(row, mapped);
        }
    }

    fn accept(&mut self, row: &SourceRow, mapped: &Mapped) {
        for note in &mapped.notes {
            *self.notes.entry(*note).or_default() += 1;
        }
        let memory: &Memory = &mapped.memory;
        self.gone.observe(row, memory);
        self.contents.add((&memory.namespace, &memory.content));
        if memory.kind == "lesson" {
            let provenance = memory.commit_sha.as_deref().or(memory.artifact_hash.as_deref()).unwrap_or_default();
            self.closings.add((memory.role.as_deref(), memory.topic.as_deref(), provenance));
        }
        let unproven = memory.commit_sha.is_none() && memory.artifact_hash.is_none();
        self.verified_without_commit += u64::from(memory.verified_at.is_some() && unproven);
        self.run_id_overflow += u64::from(
            [&memory.source_run_id, &memory.source_task_id].into_iter().flatten().any(|id| overflows_bigint(id)),
        );
        if let (Some(vector), Some(model)) = (&memory.embedding, &memory.embedding_model) {
            let widths = self.widths.entry((memory.namespace.clone(), model.clone())).or_default();
            *widths.entry(vector.len()).or_default() += 1;
        }
        self.expiring += u64::from(memory.expires_at.is_some());
        self.org_rows += u64::from(memory.namespace.starts_with("org:"));
        self.updated_equals_created += u64::from(memory.updated_at.is_some() && memory.updated_at == memory.created_at);
        if memory.namespace.starts_with("team:")
            && let Some(value) = self.node_at.and_then(|at| row.values.get(at))
            && crate::plan::shown::text(value).is_some_and(|node| self.middle_nodes.contains(&node))
        {
            self.team_of_middle += 1;
        }
    }
}

impl ColumnSeen {
    fn observe(&mut self, value: &Value, look: &Look) {
        if value.is_null() {
            self.nulls += 1;
            return;
        }
        self.present += 1;
        let size = match value {
            Value::Text(text) | Value::Json(text) | Value::Other(text) => text.len(),
            Value::InvalidText(bytes) | Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        self.largest = self.largest.max(size);
        self.large += u64::from(size > LARGE);
        match value {
            Value::Text(text) => {
                self.nul += u64::from(text.contains('\0'));
                self.json_null += u64::from(text.trim() == "null");
                self.json_twice +=
                    u64::from(look.json && text.contains('{') && super::json_keys::has_duplicate_key(text));
            }
            Value::Json(text) => {
                self.json_null += u64::from(text.trim() == "null");
                self.json_twice += u64::from(look.json && super::json_keys::has_duplicate_key(text));
            }
            Value::InvalidText(_) => self.invalid_utf8 += 1,
            Value::Int(number) => {
                self.below_micros += u64::from(look.nanos && number % 1000 != 0);
            }
            Value::Float32(_) | Value::Float64(_) => self.floats += 1,
            Value::Moment(Moment::Infinity | Moment::NegativeInfinity) => self.infinite += 1,
            Value::LocalTime(Moment::Micros(micros)) => {
                self.odd_wall_clock += u64::from(look.zone.as_ref().is_some_and(|zone| is_odd(zone, *micros)));
            }
            _ => {}
        }
        self.learn(value);
    }

    fn learn(&mut self, value: &Value) {
        let text = match value {
            _ if self.too_many => return,
            Value::Text(text) if text.len() <= LONGEST_VALUE => text.clone(),
            Value::Bool(flag) => flag.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Other(text) if text.len() <= LONGEST_VALUE => text.clone(),
            _ => return self.forget(),
        };
        if let Some(count) = self.values.get_mut(&text) {
            *count += 1;
        } else if self.values.len() < MOST_VALUES {
            self.values.insert(text, 1);
        } else {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.too_many = true;
        self.values.clear();
    }

    /// `LOCAL (12), TEAM (3)`, most frequent first.
    pub(crate) fn spelled(&self) -> Vec<String> {
        let mut values: Vec<_> = self.values.iter().collect();
        values.sort_by_key(|(value, count)| (std::cmp::Reverse(**count), (*value).clone()));
        values.into_iter().map(|(value, count)| format!("{value} ({count})")).collect()
    }
}

/// Whether a text of digits does not fit a `bigint`.
fn overflows_bigint(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_err()
}

/// Whether a wall-clock time happens twice or never in a zone.
fn is_odd(zone: &jiff::tz::TimeZone, micros: i64) -> bool {
    Timestamp::from_microsecond(micros)
        .map(|wall| zone.to_ambiguous_zoned(jiff::tz::TimeZone::UTC.to_datetime(wall)).is_ambiguous())
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_digits_overflow_a_bigint() {
        assert!(overflows_bigint("99999999999999999999"));
        assert!(!overflows_bigint("9223372036854775807"));
        assert!(!overflows_bigint("run-99999999999999999999"));
    }

    #[test]
    fn a_repeat_counter_stops_learning_when_it_is_full() {
        let mut repeats = Repeats::default();
        (0_usize..MOST_DIGESTS + 10).for_each(|n| repeats.add(n));
        repeats.add(0_usize);
        assert!(repeats.full);
        assert_eq!(repeats.repeated, 1);
        assert_eq!(repeats.seen.len(), MOST_DIGESTS);
    }

    #[test]
    fn a_column_of_prose_keeps_no_values() {
        let mut column = ColumnSeen::default();
        for n in 0..=MOST_VALUES {
            column.observe(&Value::Int(n as i64), &Look::default());
        }
        assert!(column.values.is_empty());
        assert_eq!(column.present, MOST_VALUES as u64 + 1);
    }

    #[test]
    fn a_wall_clock_time_that_happens_twice_is_odd() {
        let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
        let wall = |text: &str| format!("{text}Z").parse::<Timestamp>().unwrap().as_microsecond();
        assert!(is_odd(&zone, wall("2025-11-02T01:30:00")));
        assert!(is_odd(&zone, wall("2025-03-09T02:30:00")));
        assert!(!is_odd(&zone, wall("2025-06-01T12:00:00")));
    }
}
