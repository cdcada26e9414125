//! A bounded look at a table: for each column which classes of values, which words, which range.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::error::{MigrateError, Result};
use crate::source::{KeyRange, Read, Relation, Source, Table, Type};
use crate::value::{SourceRow, Value};

/// Rows looked at, at most.
pub(super) const ROWS: usize = 20_000;
/// Bytes looked at, at most.
const BYTES: usize = 32 << 20;
/// Distinct words remembered of a column; one more means that it is no enumeration.
const WORDS: usize = 64;
/// Longest word that may be one of an enumeration, in bytes.
const WORD_BYTES: usize = 64;

/// What a column held.
#[derive(Debug, Default, Clone)]
pub(super) struct Profile {
    pub(super) values: u64,
    pub(super) nulls: u64,
    pub(super) numbers: u64,
    pub(super) whole: u64,
    pub(super) texts: u64,
    pub(super) bools: u64,
    pub(super) binary: u64,
    /// Typed times, and text that is a time with its offset.
    pub(super) moments: u64,
    /// Typed wall clocks and dates, and text that is one.
    pub(super) clocks: u64,
    /// Numeric extremes, of numbers and of text that is one.
    pub(super) range: Option<(f64, f64)>,
    /// Distinct values as text with their counts; `None` when there were too many.
    pub(super) words: Option<BTreeMap<String, u64>>,
}

/// The rows that were looked at.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) rows: Vec<SourceRow>,
    /// Whether these are all rows.
    pub(super) whole: bool,
    pub(super) columns: Vec<Profile>,
}

/// Reads the first rows in key order.
pub(super) async fn at(source: &dyn Source, table: &Table, key: &[String]) -> Result<Look> {
    let read = Read {
        relation: Relation::Table(table.name.clone()),
        table: table.clone(),
        key: key.to_vec(),
        expressions: Vec::new(),
        range: KeyRange::default(),
        since: None,
        keys: None,
    };
    let (mut rows, mut held, mut full) = (Vec::new(), 0, false);
    let scanned = source
        .scan(&read, &mut |row, bytes| {
            if rows.len() >= ROWS || held >= BYTES {
                full = true;
                // Any error stops a scan; this one is taken back below.
                return Err(MigrateError::Ledger("looked at enough".into()));
            }
            held += bytes;
            rows.push(row);
            Ok(())
        })
        .await;
    if !full {
        scanned?;
    }
    let mut columns = vec![Profile { words: Some(BTreeMap::new()), ..Profile::default() }; table.columns.len()];
    for row in &rows {
        for (profile, value) in columns.iter_mut().zip(&row.values) {
            profile.add(value);
        }
    }
    Ok(Look { rows, whole: !full, columns })
}

impl Profile {
    fn add(&mut self, value: &Value) {
        if value.is_null() {
            self.nulls += 1;
            return;
        }
        self.values += 1;
        match value {
            Value::Bool(_) => self.bools += 1,
            #[expect(clippy::cast_precision_loss, reason = "only the magnitude counts")]
            Value::Int(number) => self.number(*number as f64),
            Value::Float32(number) => self.number(f64::from(*number)),
            Value::Float64(number) => self.number(*number),
            Value::Decimal(text) => self.number(text.parse().unwrap_or(f64::NAN)),
            Value::Text(text) | Value::Other(text) => self.text(text),
            Value::Moment(_) => self.moments += 1,
            Value::LocalTime(_) | Value::Date(_) => self.clocks += 1,
            Value::Bytes(_) | Value::InvalidText(_) => self.binary += 1,
            _ => {}
        }
        let word = match value {
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(number) => Some(number.to_string()),
            Value::Uuid(uuid) => Some(uuid.to_string()),
            Value::Text(text) | Value::Other(text) if text.len() <= WORD_BYTES => Some(text.clone()),
            _ => None,
        };
        let Some(words) = &mut self.words else { return };
        match word {
            Some(word) => *words.entry(word).or_default() += 1,
            None => self.words = None,
        }
        if self.words.as_ref().is_some_and(|words| words.len() > WORDS) {
            self.words = None;
        }
    }

    fn number(&mut self, number: f64) {
        self.numbers += 1;
        if number.fract() == 0.0 {
            self.whole += 1;
        }
        self.widen(number);
    }

    fn widen(&mut self, number: f64) {
        let (low, high) = self.range.unwrap_or((number, number));
        self.range = Some((low.min(number), high.max(number)));
    }

    fn text(&mut self, text: &str) {
        self.texts += 1;
        let text = text.trim();
        if let Ok(number) = text.parse::<f64>() {
            self.widen(number);
            self.numbers += 1;
            self.whole += u64::from(number.fract() == 0.0);
        } else if is_moment(text) {
            self.moments += 1;
        } else if text.parse::<DateTime>().is_ok() {
            self.clocks += 1;
        }
    }

    /// Whether every value is a number (or text that is one), and there is one.
    pub(super) fn is_number(&self) -> bool {
        self.values > 0 && self.numbers == self.values
    }

    /// Whether every value is a whole number within the ends.
    pub(super) fn within(&self, low: f64, high: f64) -> bool {
        self.is_number() && self.range.is_some_and(|(least, most)| least >= low && most <= high)
    }

    /// Whether at least one value, and most of them, are times of either kind.
    pub(super) fn is_time(&self) -> bool {
        self.values > 0 && (self.moments + self.clocks) * 2 > self.values
    }
}

/// Text with an offset, as ISO or as PostgreSQL writes it (`+00`).
fn is_moment(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
        || (text.len() > 13
            && text.is_ascii()
            && text[text.len() - 3..].starts_with(['+', '-'])
            && format!("{text}:00").parse::<Timestamp>().is_ok())
}

/// Whether a column's type can hold text that is read.
pub(super) fn textual(ty: Type) -> bool {
    matches!(ty, Type::Text | Type::Dynamic)
}
